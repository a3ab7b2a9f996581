import type { Point } from './line-plot.ts';

/**
 * Mean over the points at most `reach` places away; single steps of RL are noisy. Near the beginning it reaches no
 * further ahead than back, so that a steep start stays where it is. Gaps stay gaps.
 */
export const smooth = (points: readonly Point[], reach: number): Point[] => {
  const isKnown = (y: number | null): y is number => y !== null && Number.isFinite(y);
  // Of the points before each place: a window over every point anew would take minutes for a hundred thousand steps.
  const sums = [0];
  const counts = [0];
  for (const [index, { y }] of points.entries()) {
    sums.push((sums[index] ?? 0) + (isKnown(y) ? y : 0));
    counts.push((counts[index] ?? 0) + (isKnown(y) ? 1 : 0));
  }
  const between = (before: readonly number[], first: number, end: number): number =>
    (before[end] ?? 0) - (before[first] ?? 0);
  return points.map(({ x, y }, index) => {
    const far = Math.min(reach, index);
    if (!isKnown(y) || far === 0) return { x, y: isKnown(y) ? y : null };
    const [first, end] = [index - far, Math.min(points.length, index + far + 1)];
    const mean = between(sums, first, end) / between(counts, first, end);
    // What rounding leaves of a curve without any change must not look like one.
    return { x, y: Number(mean.toPrecision(12)) };
  });
};
