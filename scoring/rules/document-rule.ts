import { distance } from 'fastest-levenshtein';
import { findStatement } from './find-statement.ts';
import { parseQuantity } from './parse-number.ts';
import { plainText } from './plain-text.ts';
import { decide, type RuleDecision, undecided } from './rule.ts';
import { normaliseText } from './text-rule.ts';

/** From here on two texts differ by a slip of the pen. */
const sameFrom = 0.9;
/** ANLS gives no credit below it (arXiv 1905.13648, equation 1). */
const differsBelow = 0.5;

/**
 * Normalised Levenshtein similarity of two texts without case, in [0, 1]: 1 - distance / length of the longer one.
 * Below a half it is 0, as in ANLS (arXiv 1905.13648, equation 1).
 */
export const anls = (reference: string, answer: string): number => {
  const [one, other] = [reference, answer].map((text) => text.toLowerCase().trim().replaceAll(/\s+/g, ' '));
  const longer = Math.max(one?.length ?? 0, other?.length ?? 0);
  const similarity = longer === 0 ? 1 : 1 - distance(one ?? '', other ?? '') / longer;
  return similarity < differsBelow ? 0 : similarity;
};

/** Only long words may differ, each by one letter: `now allowed` is not `not allowed`. */
const slipsOnly = (reference: string, answer: string): boolean => {
  const [words, others] = [reference.split(' '), answer.split(' ')];
  return (
    words.length === others.length &&
    words.every((word, index) => {
      const other = others[index] ?? '';
      return word === other || (Math.min(word.length, other.length) >= 6 && distance(word, other) === 1);
    })
  );
};

/** `Smith, John` and `US` may be other forms of the same name. */
const mayBeSameName = (reference: string, answer: string): boolean => {
  const words = reference.replaceAll(',', '').split(' ');
  const initials = words.map((word) => word[0]).join('');
  return (
    words.toSorted().join(' ') === answer.replaceAll(',', '').split(' ').toSorted().join(' ') ||
    (words.length > 1 && initials === answer.replaceAll('.', ''))
  );
};

const digitsOf = (text: string): string => (text.match(/\d+/g) ?? []).join(' ');

/** True where a text has another as whole words in it. */
export const hasWords = (text: string, words: string): boolean => words !== '' && ` ${text} `.includes(` ${words} `);

/**
 * Compares words copied from a document: right from a similarity of 0.9 on, with the same digits, wrong below a half
 * where the answer does not contain the reference; between, the judge decides. The published measure takes all from
 * a half on, also `13th` for `12th`. A reference may list its forms as a JSON array.
 */
export const documentRule = (reference: string, answer: string): RuleDecision => {
  const statement = findStatement(plainText(answer));
  const given = normaliseText(plainText(statement.found ? statement.text : answer));
  const forms = referenceForms(reference).map((form) => normaliseText(plainText(form)));
  const best = Math.max(...forms.map((form) => anls(form, given)));
  if (forms.includes(given)) return decide(true, 'the same text');
  const close = forms.find((form) => anls(form, given) >= sameFrom && slipsOnly(form, given));
  const numbers = [parseQuantity(given), ...forms.map((form) => parseQuantity(form))];
  if (numbers.every((number) => number !== undefined)) {
    const [value, ...others] = numbers;
    return others.some((other) => other?.value === value?.value)
      ? undecided('the same number, written in another way')
      : decide(false, `${value?.value} against ${others.map((other) => other?.value).join(' or ')}`);
  }
  const digits = digitsOf(given);
  if (close !== undefined && digitsOf(close) === digits) return decide(true, `ANLS ${best.toFixed(2)}`);
  if (forms.some((form) => mayBeSameName(form, given))) return undecided('another form of the same name');
  if (forms.some((form) => hasWords(given, form))) return undecided('the answer has the reference in it');
  if (
    forms.every(
      (form) =>
        digitsOf(form) !== '' && digits !== '' && digitsOf(form).replaceAll(' ', '') !== digits.replaceAll(' ', ''),
    )
  )
    return decide(false, `digits ${digits} against ${forms.map(digitsOf).join(' or ')}`);
  return best === 0 && given.split(' ').length <= 12
    ? decide(false, 'ANLS below 0.5')
    : undecided(`ANLS ${best.toFixed(2)}, between the same and another text`);
};

/** The texts that a reference accepts: itself, or the items of a JSON array. */
export const referenceForms = (reference: string): string[] => {
  if (!/^\s*\[/.test(reference)) return [reference];
  try {
    const value: unknown = JSON.parse(reference);
    return Array.isArray(value) && value.length > 0 ? value.map(String) : [reference];
  } catch {
    return [reference];
  }
};
