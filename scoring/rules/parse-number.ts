import { isNumberWord, parseNumberWords, scaleWords } from './number-words.ts';
import { plainText } from './plain-text.ts';

/** A number with what stands around it. */
export interface Quantity {
  readonly value: number;
  /** The digits as they stand, where the number is a whole one without any other sign. */
  readonly digits?: string;
  /** `%`, `cm`, `apples`, `$`; empty where there is none. */
  readonly unit: string;
}

const digits = String.raw`(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?`;
const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const fractions: Readonly<Record<string, number>> = {
  '½': 1 / 2,
  '⅓': 1 / 3,
  '⅔': 2 / 3,
  '¼': 1 / 4,
  '¾': 3 / 4,
  '⅕': 1 / 5,
  '⅛': 1 / 8,
};

/** Behind a number these make another one of it, or two. */
const noUnits: ReadonlySet<string> = new Set([
  'or',
  'and',
  'to',
  'not',
  'no',
  'plus',
  'minus',
  'times',
  'x',
  'by',
  'of',
  'but',
  'bc',
  'bce',
  'squared',
  'cubed',
  'less',
  'more',
  'fewer',
  'too',
  'below',
  'above',
  'under',
  'over',
  'short',
  'teen',
  'ish',
]);

const unitPattern = String.raw`(?:[%‰]|°\s?[cf]?|[$€£¥¢]|\p{L}[\p{L}'’/-]*\.?(?:[²³]|\^[23])?(?:\s\p{L}[\p{L}'’-]*){0,2})`;
const full = new RegExp(
  String.raw`^([$€£¥]|usd|eur|us\$)?\s?([+-]?)\s?([$€£¥])?(${digits}(?:e[+-]?\d+)?)\s?(${unitPattern})?$`,
  'iu',
);
const european = /^([+-]?)(\d{1,3}(?:\.\d{3})+),(\d+)$/;
const mixed = /^([+-]?)(?:(\d+)\s+)?(\d+)\s?[/⁄]\s?(\d+)\s*(\p{L}+)?$/u;
const glyph = /^([+-]?)(\d*)\s?([½⅓⅔¼¾⅕⅛])\s*(\p{L}+)?$/u;
const power = new RegExp(
  String.raw`^([+-]?${digits})\s?(?:[x×*·]|\\times|\\cdot)\s?10\s?(?:\^\s?\{?([+-]?\d+)\}?|\*\*\s?([+-]?\d+)|([⁺⁻]?[${superscripts}]+))\s*(\p{L}+)?$`,
  'iu',
);

const square = new RegExp(String.raw`^([+-]?\d+(?:\.\d+)?)(?:([${superscripts}]+)|\^\{?(\d{1,3})\}?)$`, 'u');

/** LaTeX that stands for what the patterns read: `\frac{1}{2}`, `25\%`, `45^\circ`, `5\text{ cm}`, `1{,}000`. */
const withoutLatex = (text: string): string =>
  text
    .replaceAll(/\\[dt]?frac\s*\{(\d+)\}\s*\{(\d+)\}/g, ' $1/$2')
    .replaceAll(/\\[dt]?frac\s*(\d)\s*(\d)(?!\d)/g, ' $1/$2')
    .replaceAll(/\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}/g, '$1')
    .replaceAll(/\^\s*\{?\\circ\}?/g, '°')
    .replaceAll(/(\d)\{,\}(?=\d{3})/g, '$1,')
    .replaceAll(/\\([%$])/g, '$1')
    .replaceAll(/\\[,;! ]/g, ' ')
    .replaceAll(/[$](?=\s*$)|^\$(?=[^$]*\$$)/g, '')
    .trim();

const approximate =
  /^(?:approximately|approx\.?|about|around|roughly|circa|nearly|almost|exactly|precisely|a total of|in total|only|just|there (?:are|is)|they are|it is|it's|=|≈|~)\s*/i;

const ofSuperscript = (text: string): number =>
  Number([...text].map((sign) => ({ '⁺': '+', '⁻': '-' })[sign] ?? String(superscripts.indexOf(sign))).join(''));

const quantity = (value: number, unit = '', exact?: string): Quantity | undefined =>
  Number.isFinite(value)
    ? { value, unit: unit.trim().replace(/\.$/, ''), ...(exact === undefined ? {} : { digits: exact }) }
    : undefined;

const inDigits = (plain: string): Quantity | undefined => {
  const [, currency = '', sign = '', secondCurrency = '', number = '', behind = ''] = full.exec(plain) ?? [];
  if (!/\d/.test(number)) return undefined;
  const [first = '', ...others] = behind.toLowerCase().split(/\s+/);
  if (noUnits.has(first) || isNumberWord(others[0] ?? '') || others.some((word) => noUnits.has(word) && word !== 'of'))
    return undefined;
  if (isNumberWord(first) && !scaleWords.has(first)) return undefined;
  // A capital M behind a number without money may be metres or millions.
  if (/^(?:M|B|mn|mln|bn)$/.test(behind) && !currency && !secondCurrency) return undefined;
  const scale = scaleWords.get(first);
  const letterScale = /^[kK]$/.test(behind)
    ? 1e3
    : /^(?:M|mn|mln)$/.test(behind)
      ? 1e6
      : /^(?:B|bn)$/.test(behind)
        ? 1e9
        : undefined;
  const factor = scale ?? (currency || secondCurrency || /^[kK]$/.test(behind) ? letterScale : undefined) ?? 1;
  const unit = factor === 1 ? behind : others.join(' ');
  const whole =
    factor === 1 && /^[\d,]+$/.test(number) ? `${sign === '-' ? '-' : ''}${number.replaceAll(',', '')}` : undefined;
  // Rounded, because 1.2 million is 1200000 and not the nearest double of the product.
  const value = Number(`${sign}${number.replaceAll(',', '')}`) * factor;
  return quantity(factor === 1 ? value : Number(value.toPrecision(15)), unit || currency || secondCurrency, whole);
};

/** The one number that a text states, with its unit; undefined where it states none, or more than one. */
export const parseQuantity = (text: string): Quantity | undefined => {
  let plain = withoutLatex(plainText(text)).replace(/\.$/, '').trim();
  plain = plain.replace(/^(?:minus|negative)\s+(?=[\d.])/i, '-');
  while (approximate.test(plain)) plain = plain.replace(approximate, '');
  const direct = inDigits(plain);
  if (direct) return direct;
  const [, minus, thousands = '', decimals] = european.exec(plain) ?? [];
  if (decimals !== undefined) return quantity(Number(`${minus}${thousands.replaceAll('.', '')}.${decimals}`));
  const [isMixed, sign = '', whole = '0', top = '', bottom = '', mixedUnit] = mixed.exec(plain) ?? [];
  if (isMixed !== undefined && Number(bottom) !== 0)
    return quantity((sign === '-' ? -1 : 1) * (Number(whole) + Number(top) / Number(bottom)), mixedUnit);
  const [isGlyph, glyphSign = '', before = '', part = '', glyphUnit] = glyph.exec(plain) ?? [];
  if (isGlyph !== undefined)
    return quantity((glyphSign === '-' ? -1 : 1) * (Number(before) + (fractions[part] ?? Number.NaN)), glyphUnit);
  const [, base = '', exponent, stars, raised, powerUnit] = power.exec(plain) ?? [];
  if (/\d/.test(base))
    return quantity(
      Number(`${base.replaceAll(',', '')}e${raised === undefined ? (exponent ?? stars) : ofSuperscript(raised)}`),
      powerUnit,
    );
  const [, root = '', raisedTo, caret] = square.exec(plain) ?? [];
  if (/\d/.test(root))
    return quantity(Number(root) ** (raisedTo === undefined ? Number(caret) : ofSuperscript(raisedTo)));
  return inWords(plain);
};

/** `twelve`, `twenty-five apples`, `minus three`. */
const inWords = (plain: string): Quantity | undefined => {
  const negative = /^(?:minus|negative)\s+/i.test(plain);
  const words = plain.replace(/^(?:minus|negative)\s+/i, '').split(/\s+/);
  for (let length = words.length; length >= Math.max(1, words.length - 2); length -= 1) {
    const value = parseNumberWords(words.slice(0, length).join(' '));
    if (value === undefined) continue;
    const unit = words.slice(length).map((word) => word.toLowerCase());
    if (unit.some((word) => noUnits.has(word) || isNumberWord(word) || !/^[\p{L}%°'-]+$/u.test(word))) return undefined;
    return quantity(negative ? -value : value, unit.join(' '));
  }
  return undefined;
};

/** The one number that a text states; undefined where it states none, or more than one. */
export const parseNumber = (text: string): number | undefined => parseQuantity(text)?.value;
