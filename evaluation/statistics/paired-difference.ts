import { type Interval, wilsonInterval } from './wilson-interval.ts';

/** Samples by what two models made of them. */
export interface PairedCounts {
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly neither: number;
}

/**
 * Interval of the difference of two paired shares, second minus first, 95 %: Newcombe's method 10 (Statistics in
 * Medicine 17, 1998, 2635-2650), which squares and adds the Wilson intervals and corrects for their correlation.
 */
export const pairedDifference = ({ both, onlyFirst, onlySecond, neither }: PairedCounts) => {
  const samples = both + onlyFirst + onlySecond + neither;
  if (samples === 0) return { difference: 0, low: -1, high: 1 };
  const first = (both + onlyFirst) / samples;
  const second = (both + onlySecond) / samples;
  const ofFirst = wilsonInterval(both + onlyFirst, samples);
  const ofSecond = wilsonInterval(both + onlySecond, samples);
  const product = both * neither - onlyFirst * onlySecond;
  const corrected = product > 0 ? Math.max(product - samples / 2, 0) : product;
  const margins = (both + onlyFirst) * (onlySecond + neither) * (both + onlySecond) * (onlyFirst + neither);
  const phi = margins > 0 ? corrected / Math.sqrt(margins) : 0;
  const half = (a: number, b: number): number => Math.sqrt(Math.max(0, a ** 2 - 2 * phi * a * b + b ** 2));
  const difference = second - first;
  return {
    difference,
    low: difference - half(second - ofSecond.low, ofFirst.high - first),
    high: difference + half(ofSecond.high - second, first - ofFirst.low),
  } satisfies Interval & { difference: number };
};
