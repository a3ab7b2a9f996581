import { decide, type RuleDecision } from './rule.ts';

const words = [
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'],
  ...['eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen', 'twenty'],
];

/** `-1,234.5`, `3e-4`, `12 %`, `$5`, `8 apples`: one number with at most a sign of money before and one unit behind. */
const pattern =
  /^[$€£¥]?\s?([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:e[+-]?\d+)?)\s?([%°]|[a-zµ°][a-zµ²³/°]{0,11})?$/i;

const scales: Readonly<Record<string, number>> = { hundred: 1e2, thousand: 1e3, million: 1e6, billion: 1e9 };

/** Behind a number these make another one of it, or two. */
const noUnits: ReadonlySet<string> = new Set([...words, 'or', 'and', 'to', 'not', 'no', 'plus', 'minus', 'times']);

/** The one number that a text states; undefined where it states none, or more than one. */
export const parseNumber = (text: string): number | undefined => {
  const plain = text.trim().replace(/\.$/, '').replaceAll('\u2212', '-').toLowerCase();
  const word = words.indexOf(plain);
  if (word >= 0) return word;
  const [, number = '', unit = ''] = pattern.exec(plain) ?? [];
  if (!/\d/.test(number) || noUnits.has(unit)) return undefined;
  const value = Number(number.replaceAll(',', '')) * (scales[unit] ?? 1);
  return Number.isFinite(value) ? value : undefined;
};

/** Compared digit by digit: beyond 2^53 a floating-point number is not exact. */
const wholeNumber = /^-?\d+$/;

/**
 * Compares numbers: a whole reference exactly, another within a relative tolerance of one in ten thousand. An answer
 * without exactly one number is wrong.
 */
export const numberRule = (reference: string, answer: string): RuleDecision => {
  const expected = parseNumber(reference);
  if (expected === undefined) return { decided: false, reason: `the reference "${reference}" is no number` };
  const given = parseNumber(answer);
  if (given === undefined) return decide(false, 'the answer does not state one number');
  if (wholeNumber.test(reference.trim()) && wholeNumber.test(answer.trim()))
    return decide(BigInt(reference.trim()) === BigInt(answer.trim()), `${answer.trim()} against ${reference.trim()}`);
  const tolerance = Number.isInteger(expected) ? 0 : 1e-4 * Math.abs(expected);
  return decide(Math.abs(given - expected) <= tolerance, `${given} against ${expected}`);
};
