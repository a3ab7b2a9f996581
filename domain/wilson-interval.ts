/** Two-sided 95 %. */
export const z95 = 1.959963984540054;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's score interval of a share (Wilson 1927), 95 %.
 *
 * @returns `[0, 1]` without trials.
 */
export const wilsonInterval = (successes: number, trials: number): Interval => {
  if (trials === 0) return { low: 0, high: 1 };
  const share = successes / trials;
  const square = z95 ** 2;
  const centre = share + square / (2 * trials);
  const half = z95 * Math.sqrt((share * (1 - share)) / trials + square / (4 * trials ** 2));
  const scale = 1 + square / trials;
  // Rounding must not push the ends past the share itself at 0 and 1.
  return {
    low: successes === 0 ? 0 : (centre - half) / scale,
    high: successes === trials ? 1 : (centre + half) / scale,
  };
};
