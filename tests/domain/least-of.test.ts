import fc from 'fast-check';
import { expect, it } from 'vitest';
import { leastOf } from '../../domain/least-of.ts';

it('gives what sorting and cutting would give, equals in their order', () => {
  const items = fc.array(fc.record({ rank: fc.integer({ min: 0, max: 5 }), name: fc.string() }));
  fc.assert(
    fc.property(items, fc.integer({ min: 0, max: 12 }), (all, count) => {
      const byRank = (a: { rank: number }, b: { rank: number }): number => a.rank - b.rank;
      expect(leastOf(all, count, byRank)).toEqual(all.toSorted(byRank).slice(0, count));
    }),
  );
});
