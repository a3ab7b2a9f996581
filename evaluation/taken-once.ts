import type { SampleSlot } from './read-samples.ts';

/** A slot that can be loaded once and then lets go of its row, which would else keep a batch of rows in memory. */
export const takenOnce = ({ row, sampleId, load }: SampleSlot): SampleSlot => {
  let untaken: SampleSlot['load'] | undefined = load;
  return {
    row,
    sampleId,
    load: () => {
      const taken = untaken;
      untaken = undefined;
      return taken?.() ?? Promise.reject(new RangeError(`the sample ${sampleId} was loaded before`));
    },
  };
};
