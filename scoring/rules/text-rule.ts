import { findStatement } from './find-statement.ts';
import { parseNumberWords } from './number-words.ts';
import { plainText } from './plain-text.ts';
import { decide, type RuleDecision, undecided } from './rule.ts';

/** `.28` as `0.28`: a point that opens a number is none between words. */
const openingPoint = /(?<=^|[\s$€£¥(+-])\.(?=\d)/g;

/** A point or a comma between digits is part of a number, so `3.5` does not become `3 5`; NFKC would make `5²` `52`. */
export const normaliseText = (text: string): string =>
  text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(openingPoint, '0.')
    .replaceAll(/(?<!\d)[.,]|[.,](?!\d)|[\s;:!?"'’“”]/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim();

/** Without an article at its start, unless nothing else would be left, or one letter, which may name something. */
const withoutArticle = (text: string): string => text.replace(/^(?:the|an?) (?=\S\S)/, '');

/** A number as a text has it when it is nothing else: no leading zeros, no unit, no name. */
const plainNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** Whether two texts are the same number, where the reference is nothing but one; undefined where no rule can tell. */
const sameNumber = (reference: string, answer: string): boolean | undefined => {
  if (!plainNumber.test(reference)) return undefined;
  if (plainNumber.test(answer)) return Number(answer) === Number(reference);
  return parseNumberWords(answer) === Number(reference) || undefined;
};

const opposites: Readonly<Record<string, boolean>> = { yes: true, no: false, true: true, false: false };

/** `Yes`, `No, it is closed`, `True.`: what an answer to a yes-or-no question says; undefined for any other text. */
export const parseBoolean = (text: string): boolean | undefined => {
  const [, word = ''] =
    /^(yes|no|true|false)\b(?!\s*(?:\/|or\b|\w))(?!.*\b(?:but|however|wait|actually|or)\b)/is.exec(plainText(text)) ??
    [];
  return opposites[word.toLowerCase()];
};

/**
 * Accepts a text that equals the reference but for case, spaces, punctuation and an article, and decides yes and no,
 * true and false, and numbers where the reference is nothing else; any other is left to the judge.
 */
export const textRule = (reference: string, answer: string): RuleDecision => {
  const expected = normaliseText(plainText(reference));
  if (expected !== '' && expected === normaliseText(plainText(answer))) return decide(true, 'the same text');
  const statement = findStatement(plainText(answer));
  const stated = statement.found ? statement.text : answer;
  if (expected !== '' && expected === normaliseText(stated)) return decide(true, 'the same text');
  if (expected !== '' && withoutArticle(expected) === withoutArticle(normaliseText(stated)))
    return decide(true, 'the same text but for an article');
  const same = sameNumber(expected, normaliseText(stated));
  if (same !== undefined) return decide(same, `${normaliseText(stated)} against ${expected}`);
  if (expected in opposites) {
    const given = parseBoolean(stated);
    if (given !== undefined)
      return decide(given === opposites[expected], `${given ? 'yes' : 'no'} against ${expected}`);
  }
  return undecided('another text than the reference');
};
