import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Interval, intersect, secondsIn, subtract, union } from '../../domain/gpu-hours-intervals.ts';

const intervals = fc.array(
  fc.tuple(fc.nat(40), fc.nat(40)).map(([a, b]): Interval => [Math.min(a, b), Math.max(a, b)]),
  { maxLength: 8 },
);

const holds = (times: readonly Interval[], moment: number): boolean =>
  times.some(([from, to]) => from <= moment && moment < to);

test('every moment is where set arithmetic puts it', () => {
  fc.assert(
    fc.property(intervals, intervals, fc.nat(40), (a, b, moment) => {
      const [inA, inB] = [holds(a, moment), holds(b, moment)];
      expect(holds(union([...a, ...b]), moment)).toBe(inA || inB);
      expect(holds(intersect(a, b), moment)).toBe(inA && inB);
      expect(holds(subtract(a, b), moment)).toBe(inA && !inB);
    }),
  );
});

test('times that overlap are counted once', () => {
  expect(
    secondsIn(
      union([
        [0, 4000],
        [1000, 2000],
        [3000, 6000],
        [7000, 7000],
      ]),
    ),
  ).toBe(6);
  expect(
    union([
      [5, 6],
      [1, 2],
      [2, 3],
    ]),
  ).toEqual([
    [1, 3],
    [5, 6],
  ]);
});
