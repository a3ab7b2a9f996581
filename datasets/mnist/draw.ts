import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random draws; the same seed and name give the same stream on every machine. */
export interface Draw {
  /** An integer of `[0, below)`. */
  readonly below: (limit: number) => number;
  readonly chance: (share: number) => boolean;
  readonly pick: <T>(items: readonly T[]) => T;
  readonly shuffle: <T>(items: readonly T[]) => T[];
}

const hash = (text: string): number => {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return value | 0;
};

/** Opens the stream of a seed under a name, so that what one part draws does not move another's. */
export const openDraw = (seed: number, name: string): Draw => {
  const generator = xoroshiro128plus(hash(`${name}/${seed}`));
  const below = (limit: number): number => uniformInt(generator, 0, limit - 1);
  const pick = <T>(items: readonly T[]): T => {
    const item = items[below(items.length)];
    if (item === undefined) throw new RangeError('expected at least one item to pick from');
    return item;
  };
  return {
    below,
    pick,
    chance: (share) => below(1_000_000) < share * 1_000_000,
    shuffle: (items) => {
      const result = [...items];
      for (let last = result.length - 1; last > 0; last -= 1) {
        const other = below(last + 1);
        [result[last], result[other]] = [result[other] as (typeof result)[0], result[last] as (typeof result)[0]];
      }
      return result;
    },
  };
};
