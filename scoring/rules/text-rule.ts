import { decide, type RuleDecision } from './rule.ts';

/** A point or a comma between digits is part of a number, so `3.5` does not become `3 5`; NFKC would make `5²` `52`. */
const normalise = (text: string): string =>
  text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/(?<!\d)[.,]|[.,](?!\d)|[\s;:!?"'’“”]/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim();

/** Accepts a text that equals the reference but for case, spaces and punctuation; any other is left to the judge. */
export const textRule = (reference: string, answer: string): RuleDecision => {
  const expected = normalise(reference);
  return expected !== '' && expected === normalise(answer)
    ? decide(true, 'the same text')
    : { decided: false, reason: 'another text than the reference' };
};
