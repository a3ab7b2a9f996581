import { expect, test } from 'vitest';
import { createQuietTimes } from '../../activities/quiet-times.ts';
import type { Interval } from '../../domain/gpu-hours-intervals.ts';
import type { Progress } from '../../domain/progress.ts';

const progress = (at: number, phase: Progress['phase'] = 'running'): Progress => ({
  phase,
  step: at,
  total: 0,
  at: 1000 * at,
  figures: {},
});

/** Looks at these seconds at a program whose progress was last made at those; a stall limit of 100 s. */
const look = (looks: readonly (readonly [now: number, progressAt: number])[]): Interval[] => {
  const quiet = createQuietTimes(100_000);
  return looks
    .flatMap(([now, at]) => quiet(progress(at), 1000 * now))
    .map(([from, to]): Interval => [from / 1000, to / 1000]);
};

const everySecond = (from: number, to: number, progressAt: (now: number) => number) =>
  Array.from({ length: to - from + 1 }, (_, index): [number, number] => [from + index, progressAt(from + index)]);

test('steady progress is never quiet', () => {
  expect(look(everySecond(0, 300, (now) => now))).toEqual([]);
});

test('a stop is told while it lasts and at its end, always from its beginning', () => {
  // A step each second up to 20, then nothing up to 60: more than ten seconds are quiet.
  const looks = everySecond(0, 60, (now) => (now === 60 ? 60 : Math.min(now, 20)));
  expect(look(looks)).toEqual([
    [20, 31],
    [20, 60],
  ]);
});

test('what is slow by nature is not quiet: five times the usual gap, and at the latest four fifths of the limit', () => {
  const slow = everySecond(0, 200, (now) => Math.floor(now / 20) * 20);
  expect(look(slow)).toEqual([]);
  const stopped = everySecond(0, 281, (now) => Math.min(200, Math.floor(now / 20) * 20));
  expect(look(stopped)).toEqual([[200, 281]]);
});

test('before the usual gap is known only the stall limit counts', () => {
  expect(look(everySecond(0, 81, () => 0))).toEqual([[0, 81]]);
  expect(look(everySecond(0, 80, () => 0))).toEqual([]);
});

test('what happened while nobody looked is not held against the program', () => {
  const watched = everySecond(0, 30, (now) => now);
  // Back after three minutes: it has gone on.
  expect(look([...watched, [210, 209], [211, 210]])).toEqual([]);
  // Back after three minutes: it stands where it stood.
  expect(look([...watched, [210, 30]])).toEqual([[30, 210]]);
  // It stood still when the watcher left, and moves when he is back: quiet for as long as he saw.
  expect(look([...watched, ...everySecond(31, 45, () => 30), [210, 209]])).toEqual([
    [30, 41],
    [30, 45],
  ]);
});

test('a program that is done is not quiet', () => {
  const quiet = createQuietTimes(1000);
  expect(quiet(progress(0, 'done'), 60_000)).toEqual([]);
  expect(quiet(undefined, 60_000)).toEqual([]);
});
