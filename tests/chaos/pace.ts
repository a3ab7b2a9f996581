import type { Step } from './observe.ts';

const median = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

/**
 * How a trainer went on during a time: its longest step that touches it, and the median of all, seconds; null where the
 * curve has no step in it.
 *
 * @param from, to - Unix time, milliseconds.
 */
export const pace = (curve: readonly Step[], from: number, to: number): { longest: number; median: number } | null => {
  const steps = curve.slice(1).map(({ at }, index) => ({ began: curve[index]?.at ?? at, ended: at }));
  const touched = steps.filter(({ began, ended }) => ended >= from && began <= to);
  const middle = median(steps.map(({ began, ended }) => ended - began));
  if (touched.length === 0 || middle === undefined) return null;
  return {
    longest: Math.max(...touched.map(({ began, ended }) => ended - began)) / 1000,
    median: middle / 1000,
  };
};
