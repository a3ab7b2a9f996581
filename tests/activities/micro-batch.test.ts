import fc from 'fast-check';
import { expect, test } from 'vitest';
import { smallerMicroBatch } from '../../activities/micro-batch.ts';

test.each([
  [8, 8, 4],
  [12, 12, 6],
  [6, 12, 3],
  [3, 12, 1],
  [5, null, 2],
  [1, null, null],
])('after %i of a batch of %s comes %s', (size, batch, next) => {
  expect(smallerMicroBatch(size, batch)).toBe(next);
});

test('it is at most half as large, divides the batch, and comes to an end', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 512 }), fc.integer({ min: 1, max: 512 }), (size, batch) => {
      const next = smallerMicroBatch(size, batch);
      if (size === 1) {
        expect(next).toBeNull();
        return;
      }
      expect(next).not.toBeNull();
      expect(2 * (next ?? 0)).toBeLessThanOrEqual(size);
      expect(batch % (next ?? 0)).toBe(0);
    }),
  );
});
