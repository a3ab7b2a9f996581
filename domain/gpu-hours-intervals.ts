/** A time from its first value up to, but without, its second. */
export type Interval = readonly [from: number, to: number];

/** The same times as intervals that are not empty, do not touch, and are in order. */
export const union = (intervals: readonly Interval[]): Interval[] => {
  const merged: [number, number][] = [];
  for (const [from, to] of [...intervals].filter((one) => one[1] > one[0]).sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
};

/** The times that are in both. */
export const intersect = (a: readonly Interval[], b: readonly Interval[]): Interval[] =>
  union(a.flatMap(([from, to]) => b.map(([start, end]): Interval => [Math.max(from, start), Math.min(to, end)])));

/** The times that are in `a` and not in `b`. */
export const subtract = (a: readonly Interval[], b: readonly Interval[]): Interval[] =>
  union(b).reduce(
    (left, [start, end]) =>
      left
        .flatMap(([from, to]): Interval[] => [
          [from, Math.min(to, start)],
          [Math.max(from, end), to],
        ])
        .filter(([from, to]) => to > from),
    union(a),
  );

/** Seconds of times in milliseconds that do not overlap. */
export const secondsIn = (intervals: readonly Interval[]): number =>
  intervals.reduce((sum, [from, to]) => sum + to - from, 0) / 1000;
