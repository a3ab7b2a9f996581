import { examineCheckpoints } from '../processes/artifact.ts';

/** A checkpoint that became complete: its step and the time of its manifest, Unix time in milliseconds. */
export interface MadeCheckpoint {
  readonly step: number;
  readonly at: number;
}

/** The complete checkpoints of a folder that are not known yet, oldest first; one that was made anew counts as new. */
export const checkpointsSince = async (
  outputDir: string,
  known: readonly MadeCheckpoint[],
): Promise<MadeCheckpoint[]> =>
  (await examineCheckpoints(outputDir, { deep: false })).flatMap((found) => {
    if (!found.whole) return [];
    const made = { step: found.step, at: Date.parse(found.manifest.createdAt) };
    return known.some(({ step, at }) => step === made.step && at === made.at) ? [] : made;
  });
