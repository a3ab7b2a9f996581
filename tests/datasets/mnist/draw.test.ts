import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openDraw } from '../../../datasets/mnist/draw.ts';

const sequence = (seed: number, name: string) => {
  const draw = openDraw(seed, name);
  return Array.from({ length: 20 }, () => draw.below(1000));
};

test('a seed and a name give one stream, another seed or name another', () => {
  expect(sequence(1, 'sft')).toEqual(sequence(1, 'sft'));
  expect(sequence(2, 'sft')).not.toEqual(sequence(1, 'sft'));
  expect(sequence(1, 'rl')).not.toEqual(sequence(1, 'sft'));
});

test('stays below the limit and reaches every value', () => {
  const draw = openDraw(0, 'values');
  expect(new Set(Array.from({ length: 500 }, () => draw.below(7)))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
});

test('a chance of 0 never comes, of 1 always, of a quarter in about a quarter', () => {
  const draw = openDraw(3, 'chances');
  const share = (chance: number) =>
    Array.from({ length: 4000 }, () => draw.chance(chance)).filter(Boolean).length / 4000;
  expect(share(0)).toBe(0);
  expect(share(1)).toBe(1);
  // Five standard deviations of a share of 4,000.
  expect(Math.abs(share(0.25) - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / 4000));
});

test('a shuffle keeps every item and leaves its input alone', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
      const before = [...items];
      const shuffled = openDraw(seed, 'shuffle').shuffle(items);
      expect(items).toEqual(before);
      expect(shuffled.toSorted((a, b) => a - b)).toEqual(before.toSorted((a, b) => a - b));
    }),
  );
});

test('there is nothing to pick from an empty list', () => {
  expect(() => openDraw(0, 'empty').pick([])).toThrow();
});
