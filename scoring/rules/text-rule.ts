import { decide, type RuleDecision } from './rule.ts';

const normalise = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s.,;:!?"'’“”]+/g, ' ')
    .trim();

/** Accepts a text that equals the reference but for case, spaces and punctuation; any other is left to the judge. */
export const textRule = (reference: string, answer: string): RuleDecision =>
  normalise(reference) === normalise(answer)
    ? decide(true, 'the same text')
    : { decided: false, reason: 'another text than the reference' };
