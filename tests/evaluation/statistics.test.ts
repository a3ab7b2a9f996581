import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bootstrapMean } from '../../evaluation/statistics/bootstrap-mean.ts';
import { pairedDifference } from '../../evaluation/statistics/paired-difference.ts';
import { signFlipExact } from '../../evaluation/statistics/sign-flip-exact.ts';
import { wilsonInterval } from '../../evaluation/statistics/wilson-interval.ts';

// Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('Wilson: %i of %i', (successes, trials, low, high) => {
  const interval = wilsonInterval(successes, trials);
  expect(interval.low).toBeCloseTo(low, 4);
  expect(interval.high).toBeCloseTo(high, 4);
});

test('a Wilson interval holds the share and stays within 0 and 1', () =>
  fc.assert(
    fc.property(fc.nat(500), fc.nat(500), (successes, failures) => {
      const trials = successes + failures;
      fc.pre(trials > 0);
      const { low, high } = wilsonInterval(successes, trials);
      expect(low).toBeGreaterThanOrEqual(0);
      expect(low).toBeLessThanOrEqual(successes / trials);
      expect(high).toBeGreaterThanOrEqual(successes / trials);
      expect(high).toBeLessThanOrEqual(1);
    }),
  ));

// Airway reactivity of 21 children before and after a transplant, as worked out in Fagerland, Lydersen and Laake,
// Statistics in Medicine 33 (2014) 2850-2875: difference -0.286, square-and-add interval -0.507 to -0.026.
test('paired difference: a published table', () => {
  const { difference, low, high } = pairedDifference({ both: 1, onlyFirst: 7, onlySecond: 1, neither: 12 });
  expect(difference).toBeCloseTo(-0.286, 3);
  expect(low).toBeCloseTo(-0.507, 3);
  expect(high).toBeCloseTo(-0.026, 3);
});

test('paired difference: models that agree everywhere differ by 0, and the interval has a width', () => {
  const { difference, low, high } = pairedDifference({ both: 10, onlyFirst: 0, onlySecond: 0, neither: 10 });
  expect(difference).toBe(0);
  expect(low).toBeLessThan(0);
  expect(high).toBeGreaterThan(0);
});

test('paired difference: swapping the models turns the interval around', () =>
  fc.assert(
    fc.property(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(60), (both, onlyFirst, onlySecond, neither) => {
      const there = pairedDifference({ both, onlyFirst, onlySecond, neither });
      const back = pairedDifference({ both, onlyFirst: onlySecond, onlySecond: onlyFirst, neither });
      expect(there.low).toBeCloseTo(-back.high, 10);
      expect(there.low).toBeLessThanOrEqual(there.difference);
      expect(there.high).toBeGreaterThanOrEqual(there.difference);
    }),
  ));

// 2 * sum of binomial coefficients up to the smaller count, over 2 to the power of their sum, in whole numbers.
test.each([
  [7, 1, 0.0703125],
  [20, 45, 0.0026263768106840383],
  [1560, 1440, 0.029791048043260982],
  [5, 5, 1],
  [0, 0, 1],
])('McNemar: %i against %i', (onlyFirst, onlySecond, p) => {
  const differences = [...new Array(onlyFirst).fill(-1), 0, ...new Array(onlySecond).fill(1)];
  expect(signFlipExact(differences)).toBeCloseTo(p, 9);
});

// By hand: of the 2 ** n ways to throw the signs, those whose sum is as far from 0.
test.each<[string, number[], number]>([
  ['attempts that are alike', [3, 3, -3], 8 / 8],
  ['attempts that are alike, all for one', [3, 3, 3, 3], 2 / 16],
  ['attempts that differ', [2, 1, 1], 2 / 8],
  ['attempts that differ, one against', [4, 2, -1, 0], 4 / 8],
  ['none that differs', [0, 0], 1],
])('randomisation test, %s', (_, differences, p) => expect(signFlipExact(differences)).toBeCloseTo(p, 12));

test('over many samples the randomisation test is near the normal distribution, and quick', () => {
  const differences = Array.from({ length: 20_000 }, (_, index) => (index % 17) - 8 + Number(index % 50 === 0));
  // Durkalski's statistic: the sum squared over the sum of the squares, chi-squared with one degree of freedom.
  const sum = differences.reduce((total, each) => total + each, 0);
  const z = sum / Math.sqrt(differences.reduce((total, each) => total + each ** 2, 0));
  expect(z).toBeCloseTo(0.5251, 3);
  // 2 * (1 - Phi(0.5251))
  expect(signFlipExact(differences)).toBeCloseTo(0.5995, 2);
});

test('the bootstrap of a mean is near the interval of the normal distribution, and repeats itself', () => {
  const values = Array.from({ length: 400 }, (_, index) => index % 2);
  const { mean, low, high } = bootstrapMean(values);
  expect(mean).toBe(0.5);
  // 1.96 * 0.5 / sqrt(400) = 0.049
  expect(low).toBeCloseTo(0.451, 2);
  expect(high).toBeCloseTo(0.549, 2);
  expect(bootstrapMean(values)).toEqual({ mean, low, high });
});
