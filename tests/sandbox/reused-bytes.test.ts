import fc from 'fast-check';
import { expect, test } from 'vitest';
import { giveBytes, takeBytes } from '../../sandbox/reused-bytes.ts';

test('no two that are held share memory, and what is given back is used again', () => {
  const sizes = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 400_000 }), keep: fc.boolean() }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(sizes, (asked) => {
      const held: { bytes: Buffer; mark: number }[] = [];
      for (const [index, { bytes, keep }] of asked.entries()) {
        const taken = takeBytes(bytes);
        expect(taken.length).toBe(bytes);
        taken.fill(index % 256);
        if (keep) held.push({ bytes: taken, mark: index % 256 });
        else giveBytes(taken);
      }
      for (const { bytes, mark } of held) {
        expect(bytes.every((byte) => byte === mark)).toBe(true);
        giveBytes(bytes);
      }
    }),
  );
  const first = takeBytes(100_000);
  giveBytes(first);
  // Given twice, it is there once.
  giveBytes(first);
  expect(takeBytes(99_000).buffer).toBe(first.buffer);
  expect(takeBytes(99_000).buffer).not.toBe(first.buffer);
});

test('bytes that were not taken are never lent', () => {
  const own = Buffer.from(new ArrayBuffer(65_536));
  giveBytes(own);
  expect(takeBytes(65_536).buffer).not.toBe(own.buffer);
});
