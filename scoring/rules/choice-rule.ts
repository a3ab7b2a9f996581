import { decide, type RuleDecision } from './rule.ts';

/** `B`, `(b)`, `B.`, `B) red`, `Option B`, `The answer is B`: anchored, so that the article "a" is never a choice. */
const patterns = [
  /^\(?([a-z])\)?[.:]?$/i,
  /^\(?([A-Z])[).:]\s/,
  /^(?:option|choice|answer)\s*:?\s*\(?([A-Z])\)?[.:]?$/i,
  /^(?:[Tt]he )?(?:correct )?(?:answer|option|choice) is:?\s*\(?([A-Z])\)?[.:]?$/,
];

/** A second letter marked as a choice: `B. or C`, `B) or D)`, `A. No, B.` */
const another = /[\s(](?:(?:or|and|not|nor)\s+\(?[A-Z]\b|[A-Z][).:])/;

/** The letter that an answer names, in upper case; undefined where it names none. */
export const parseChoice = (text: string): string | undefined => {
  const plain = text.trim();
  for (const pattern of patterns) {
    const [named = '', letter] = pattern.exec(plain) ?? [];
    if (letter) return another.test(` ${plain.slice(named.length)}`) ? undefined : letter.toUpperCase();
  }
  return undefined;
};

/** Compares letters of a multiple choice; an answer in other words is left to the judge. */
export const choiceRule = (reference: string, answer: string): RuleDecision => {
  const expected = parseChoice(reference);
  if (expected === undefined) return { decided: false, reason: `the reference "${reference}" is no letter` };
  const given = parseChoice(answer);
  if (given === undefined) return { decided: false, reason: 'the answer names no letter' };
  return decide(given === expected, `${given} against ${expected}`);
};
