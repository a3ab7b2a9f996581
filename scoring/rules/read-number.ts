import { findStatement } from './find-statement.ts';
import { isNumberWord } from './number-words.ts';
import { parseQuantity, type Quantity } from './parse-number.ts';
import { plainText } from './plain-text.ts';

/** What an answer says about a number. */
export type NumberReading =
  | { readonly kind: 'one'; readonly quantity: Quantity }
  /** A bound or a denial, `less than 5`, `not 5`: no value. */
  | { readonly kind: 'bound' }
  /** More than one number, and no words that say which is the answer. */
  | { readonly kind: 'several'; readonly values: readonly number[]; readonly choice: boolean }
  | { readonly kind: 'none' };

const bound =
  /^(?:[<>≤≥]|(?:less|fewer|more|greater|higher|lower|larger|smaller)\s+than|at\s+(?:least|most)|over|under|above|below|up\s+to|no\s+(?:more|less|fewer)\s+than|not|neither|never|between)(?![\p{L}])|\d\s*\+$|\bor\s+(?:more|less|fewer)\b/iu;
const contrast =
  /[\s,;(]+(?:and\s+|but\s+)?(?:definitely\s+)?(?:not|rather\s+than|instead\s+of)\s+(?:\S+)(?:\s+\p{L}+)?\)?[.!]?$/iu;
/** `8 (3 red and 5 blue)`: the value, and behind it what it is made of. */
const explained = /^([$€£¥]?[+-]?\d[\d.,]*(?:\s\p{L}+)?)\s*\((?![^)]*\b(?:or|not|maybe)\b)[^()]*\)\.?$/iu;
/** Words for a count that are no number; whether they mean the reference is not for a rule. */
const vague = /^(?:no|a\s+couple|a\s+pair|both)\b|\bone\b|^[ivxlc]+$/i;
/** Before a number these make it a name and no count. */
const ordinal =
  /\b(?:first|last|next|top|row|line|column|figure|fig\.?|page|step|image|picture|version|chapter|room|seat)\s*$/i;
/** Behind a number these make another one of it. */
const noPlainNumber =
  /^\s*(?:squared|cubed|less|more|fewer|too|below|above|under|over|short|dozens?|teen|percent\s+of|times|(?:M|B|mn|mln|bn)\b)/u;
/** A sum or a product that is not worked out. */
const unsolved = /\d\s*[+*×]\s*\d|\d\s+[x-]\s+\d|\d\s+(?:squared|cubed|below|minus)\b/;
const result =
  /(?:[,;]\s*(?:so|thus|hence|therefore)\s+(?:it\s+is\s+|there\s+are\s+|we\s+get\s+)?|=|≈|\b(?:total(?:ing|ling|s)?|sum|count|in all|altogether|number(?: of [\p{L} ]{1,40})?|value|difference|average)\s*(?:is|are|of|:|=|was|comes to|equals)|\b(?:equals|makes|gives|adds up to|sums to))\s*(?:about\s+|approximately\s+)?/giu;
const piece = /[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+/gi;

/** All numbers of a text, in digits and in single words. */
const valuesIn = (text: string): number[] => [
  ...[...text.matchAll(piece)].map(([digits]) => Number(digits.replaceAll(',', ''))),
  ...(text.toLowerCase().match(/\p{L}+/gu) ?? []).flatMap((word) => {
    // "one" and "a" are more often a pronoun than a number.
    const value = word === 'one' || !isNumberWord(word) ? undefined : parseQuantity(word)?.value;
    return value === undefined ? [] : [value];
  }),
];

const afterResult = (text: string): Quantity | undefined => {
  const last = [...text.matchAll(result)].at(-1);
  if (!last || /=\s*[\d.]+\s*[,;]\s*\p{L}+\s*=/u.test(text)) return undefined;
  const rest = text.slice(last.index + last[0].length).split(/\n|[.;,](?=\s|$)/)[0] ?? '';
  return parseQuantity(rest.trim());
};

/** A sentence with exactly one number in it, such as "There are 12 apples on the table". */
const onlyOne = (text: string): Quantity | undefined => {
  const numbers = [...text.matchAll(piece)];
  const words = (text.toLowerCase().match(/\p{L}+/gu) ?? []).filter((word) => isNumberWord(word) && word !== 'one');
  const [first] = numbers;
  if (numbers.length === 1 && words.length === 0 && first) {
    const before = text.slice(0, first.index);
    if (
      /(?:\b(?:not|no|than|least|most|over|under|above|below|between|except|without|minus|negative|half|twice|double|triple|thrice|times|quarter|per|isn't|aren't|cannot)\b|[<>≤≥]|n't\b)/iu.test(
        before,
      )
    )
      return undefined;
    const after = text.slice(first.index + first[0].length);
    if (ordinal.test(before) || /^\s*BCE?\b/i.test(after)) return undefined;
    if (/^-\p{L}/u.test(after) || noPlainNumber.test(after)) return undefined;
    if (/^[\p{L}\d⁰¹²³⁴-⁹/:^*·×½]/u.test(after) || /[\p{L}\d#/:^√]$/u.test(before)) return undefined;
    return parseQuantity(first[0].replace(/^[+]/, '') + (/^\s?%/.test(after) ? '%' : ''));
  }
  if (
    numbers.length === 0 &&
    words.length === 1 &&
    !/\b(?:not|no|than|least|most|over|under|between|one|half|or)\b/i.test(text)
  )
    return parseQuantity(words[0] ?? '');
  return undefined;
};

/** `7, not 8` without what the number is not; `not 7` stays, for then nothing would be left. */
const withoutContrast = (text: string): string => {
  const kept = text.replace(contrast, '');
  return /[\p{L}\d]/u.test(kept) ? kept : text;
};

/** Reads the text of an answer as a number; of several the one that the text says to be the result. */
export const readNumber = (answer: string): NumberReading => {
  const whole = withoutContrast(plainText(answer));
  const statement = findStatement(whole);
  const text = withoutContrast(statement.found ? statement.text : whole)
    .replace(explained, '$1')
    .replace(/\s+or\s+so$/i, '')
    .replace(/^not\s+\S+?,?\s+but\s+(?:rather\s+)?/i, '')
    .replace(/(?<=\p{L})!+$/u, '')
    .trim();
  const direct = parseQuantity(text);
  if (direct) return { kind: 'one', quantity: direct };
  const hedged = /\b(?:or|maybe|perhaps|wait|actually)\b/i.test(text);
  const computed = hedged ? undefined : afterResult(text);
  if (computed) return { kind: 'one', quantity: computed };
  if (bound.test(text)) return { kind: 'bound' };
  const single = hedged ? undefined : onlyOne(text);
  if (single) return { kind: 'one', quantity: single };
  const values = valuesIn(text);
  if (unsolved.test(text) || (values.length === 0 && vague.test(text)))
    return { kind: 'several', values: [], choice: false };
  if (values.length === 0) return { kind: 'none' };
  const onlyNumbers = text
    .replaceAll(piece, '')
    .split(/[\s,;/&]+/)
    .every((word) => word === '' || isNumberWord(word.toLowerCase()));
  const between = hedged || /\d\s*(?:\/|to|-|–|and)\s*[\d\p{L}]/iu.test(text);
  return { kind: 'several', values, choice: values.length > 1 && (onlyNumbers || between) };
};
