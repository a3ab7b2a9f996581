import type { Interval } from '../domain/gpu-hours-intervals.ts';
import type { Progress } from '../domain/progress.ts';

/** A look that comes later than this after the one before says nothing of the time between. */
const absenceMs = 10_000;
/** How often a quiet time that lasts is told. */
const tellMs = 30_000;
/** So many times its usual gap is more than a slow step. */
const usualGaps = 5;
/** Below this a quiet time is not worth a line. */
const leastMs = 10_000;
const rememberedGaps = 21;

const median = (values: readonly number[]): number | undefined =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * Finds the times in which a program made no progress: for five times its usual gap between two signs of it, at the
 * latest for four fifths of the stall limit. Each is told from its beginning on, again while it lasts and once at its end.
 * What happened while nobody looked is not held against the program, unless its progress still stands where it stood.
 *
 * @param stallMs - Time after which the program is stopped as stalled.
 */
export const createQuietTimes = (stallMs: number): ((progress: Progress | undefined, now: number) => Interval[]) => {
  let last: { readonly progressAt: number; readonly lookedAt: number } | undefined;
  let toldUntil = 0;
  const gaps: number[] = [];

  const limit = (): number => {
    const usual = gaps.length < 3 ? undefined : median(gaps);
    const most = 0.8 * stallMs;
    return usual === undefined ? most : Math.min(most, Math.max(leastMs, usualGaps * usual));
  };

  const told = (from: number, to: number, always: boolean): Interval[] => {
    if (to - from <= limit() || !(always || toldUntil < from || to - toldUntil >= tellMs)) return [];
    toldUntil = to;
    return [[from, to]];
  };

  return (progress, now) => {
    if (!progress || progress.phase === 'done') return [];
    const before = last;
    last = { progressAt: progress.at, lookedAt: now };
    if (before === undefined || progress.at === before.progressAt) return told(progress.at, now, false);
    const seen = now - before.lookedAt <= absenceMs;
    const found = told(before.progressAt, seen ? progress.at : before.lookedAt, true);
    if (seen) gaps.push(progress.at - before.progressAt);
    if (gaps.length > rememberedGaps) gaps.shift();
    return found;
  };
};
