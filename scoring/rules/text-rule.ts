import { findStatement } from './find-statement.ts';
import { plainText } from './plain-text.ts';
import { decide, type RuleDecision, undecided } from './rule.ts';

/** A point or a comma between digits is part of a number, so `3.5` does not become `3 5`; NFKC would make `5²` `52`. */
export const normaliseText = (text: string): string =>
  text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/(?<!\d)[.,]|[.,](?!\d)|[\s;:!?"'’“”]/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim();

const opposites: Readonly<Record<string, boolean>> = { yes: true, no: false, true: true, false: false };

/** `Yes`, `No, it is closed`, `True.`: what an answer to a yes-or-no question says; undefined for any other text. */
export const parseBoolean = (text: string): boolean | undefined => {
  const [, word = ''] =
    /^(yes|no|true|false)\b(?!\s*(?:\/|or\b|\w))(?!.*\b(?:but|however|wait|actually|or)\b)/is.exec(plainText(text)) ??
    [];
  return opposites[word.toLowerCase()];
};

/**
 * Accepts a text that equals the reference but for case, spaces and punctuation, and decides yes and no, true and
 * false; any other is left to the judge.
 */
export const textRule = (reference: string, answer: string): RuleDecision => {
  const expected = normaliseText(plainText(reference));
  if (expected !== '' && expected === normaliseText(plainText(answer))) return decide(true, 'the same text');
  const statement = findStatement(plainText(answer));
  const stated = statement.found ? statement.text : answer;
  if (expected !== '' && expected === normaliseText(stated)) return decide(true, 'the same text');
  if (expected in opposites) {
    const given = parseBoolean(stated);
    if (given !== undefined)
      return decide(given === opposites[expected], `${given ? 'yes' : 'no'} against ${expected}`);
  }
  return undecided('another text than the reference');
};
