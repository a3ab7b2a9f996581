import { shareRelease } from '../datasets/shared-memory.ts';
import type { SampleSlot } from './read-samples.ts';

/** A slot that can be loaded once, before it is released, and then lets go of its row. */
const takenOnce = ({ row, sampleId, load, release }: SampleSlot): SampleSlot => {
  let unloaded: SampleSlot['load'] | undefined = load;
  return {
    row,
    sampleId,
    load: () => {
      const taken = unloaded;
      unloaded = undefined;
      return taken?.() ?? Promise.reject(new RangeError(`the sample ${sampleId} was loaded before`));
    },
    release: () => {
      unloaded = undefined;
      release();
    },
  };
};

/**
 * A slot for each of `count` users of one, which is released when they all are. Who holds one that was loaded and released
 * does not hold the row, which would else keep a batch of rows in memory.
 */
export const takenOnceEach = (slot: SampleSlot, count: number): SampleSlot[] => {
  const share = shareRelease(count, slot.release);
  return Array.from({ length: count }, () => takenOnce({ ...slot, release: share() }));
};
