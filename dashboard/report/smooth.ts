import type { Point } from './line-plot.ts';

/**
 * Mean over the points at most `reach` places away; single steps of RL are noisy. Near the beginning it reaches no
 * further ahead than back, so that a steep start stays where it is. Gaps stay gaps.
 */
export const smooth = (points: readonly Point[], reach: number): Point[] =>
  points.map(({ x, y }, index) => {
    if (y === null || !Number.isFinite(y)) return { x, y: null };
    const far = Math.min(reach, index);
    const near = points
      .slice(index - far, index + far + 1)
      .flatMap((point) => (point.y !== null && Number.isFinite(point.y) ? [point.y] : []));
    return { x, y: near.reduce((sum, value) => sum + value, 0) / near.length };
  });
