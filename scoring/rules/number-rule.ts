import { parseQuantity, type Quantity } from './parse-number.ts';
import { readNumber } from './read-number.ts';
import { decide, type RuleDecision, undecided, unparsed } from './rule.ts';
import { unitFactor } from './units.ts';

/** How far from its reference a number may be. */
export interface Tolerance {
  /** A share of the reference. */
  readonly relative: number;
  /** Also where the reference is a whole number. @default false */
  readonly ofWholes?: boolean;
}

export const narrow: Tolerance = { relative: 1e-4 };

const isPercent = (unit: string): boolean => /^(?:%|percent|pct|percentage)$/i.test(unit);

/** The values that a quantity may mean in the reference's unit; undefined where nobody can say. */
const inUnitOf = (given: Quantity, expected: Quantity): readonly number[] | 'different' | 'unknown' => {
  if (isPercent(given.unit) && expected.unit === '') return [given.value, given.value / 100];
  if (isPercent(expected.unit) && given.unit === '') return [given.value, 100 * given.value];
  if (given.unit === '' || expected.unit === '') return [given.value];
  const factor = unitFactor(given.unit, expected.unit);
  return typeof factor === 'number' ? [given.value * factor] : factor;
};

const near = (given: number, expected: number, { relative, ofWholes = false }: Tolerance): boolean => {
  if (Number.isInteger(expected) && !ofWholes) return given === expected;
  // The second term forgives the last bit of a sum at the edge of the tolerance.
  return Math.abs(given - expected) <= relative * Math.abs(expected) + Number.EPSILON * Math.abs(expected);
};

const compare = (expected: Quantity, given: Quantity, tolerance: Tolerance): RuleDecision => {
  const reason = `${given.value}${given.unit && ` ${given.unit}`} against ${expected.value}${expected.unit && ` ${expected.unit}`}`;
  // Compared digit by digit: beyond 2^53 a floating-point number is not exact.
  if (!tolerance.ofWholes && expected.digits && given.digits && expected.unit === given.unit)
    return decide(BigInt(expected.digits) === BigInt(given.digits), reason);
  const values = inUnitOf(given, expected);
  if (values === 'different') return decide(false, `${reason}: units of different things`);
  const exact = { relative: Math.max(tolerance.relative, 1e-12), ofWholes: true };
  if (values === 'unknown')
    return near(given.value, expected.value, tolerance) ? undecided(`${reason}: other units`) : decide(false, reason);
  const converted = given.unit !== expected.unit && !Number.isInteger(values[0]);
  return decide(
    values.some((value) => near(value, expected.value, converted ? exact : tolerance)),
    reason,
  );
};

/** `1 000` for a thousand, `3,5` for three and a half: another way of the reference, or two numbers. */
const inOtherSigns = (answer: string, expected: number): boolean =>
  [answer.replaceAll(/(?<=\d) (?=\d{3})/g, ''), answer.replace(/(?<=\d),(?=\d{1,2}(?!\d))/, '.')].some(
    (other) => other !== answer && parseQuantity(other)?.value === expected,
  );

const ordinalWord =
  /\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth)\b/i;
const scaleWord = /(?<=[\d\p{L}]\s?)\b(?:hundred|thousand|million|billion|trillion)s?\b/iu;

/** What keeps a number that differs from being wrong: another way of writing the reference, which a reader may accept. */
const otherWay = (reference: string, answer: string, expected: Quantity, tolerance: Tolerance): string | undefined => {
  const [, ending] = /^\D*['’](\d\d)(?:\D*)$/.exec(answer) ?? [];
  if (ending !== undefined && expected.digits?.length === 4 && expected.digits.endsWith(ending))
    return 'a year by its last digits';
  // A chart may have its scale at the axis, and not in the question.
  if (tolerance.ofWholes && scaleWord.test(reference) !== scaleWord.test(answer)) {
    const [one, other] = [reference, answer].map((text) => readNumber(text.replace(scaleWord, ' ')));
    if (one?.kind === 'one' && other?.kind === 'one' && near(other.quantity.value, one.quantity.value, tolerance))
      return 'one of both may leave out its scale';
  }
  return undefined;
};

/**
 * Compares numbers, with their units where both have one: a whole reference exactly, another within the tolerance. An
 * answer that states no number, a bound, or a choice of numbers is wrong.
 */
export const numberRule = (reference: string, answer: string, tolerance: Tolerance = narrow): RuleDecision => {
  const expected = parseQuantity(reference);
  if (expected === undefined) return undecided(`the reference "${reference}" is no number`);
  const reading = readNumber(answer);
  switch (reading.kind) {
    case 'one': {
      const decision = compare(expected, reading.quantity, tolerance);
      const other = decision.decided && !decision.correct && otherWay(reference, answer, expected, tolerance);
      return other ? undecided(`${decision.reason}: ${other}`) : decision;
    }
    case 'none':
      return ordinalWord.test(answer)
        ? unparsed('the answer has an ordinal and no number')
        : decide(false, 'the answer states no number');
    case 'bound':
      return decide(false, 'the answer states a bound and no number');
    case 'several':
      if (inOtherSigns(answer, expected.value))
        return unparsed('the number may be written in the way of another country');
      return reading.choice ||
        (reading.values.length > 0 && !reading.values.some((value) => near(value, expected.value, tolerance)))
        ? decide(false, 'the answer does not state one number')
        : unparsed('the answer has several numbers and does not say which it is');
  }
};
