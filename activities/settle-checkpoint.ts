import { dirname, resolve, sep } from 'node:path';
import { Context } from '@temporalio/activity';
import type { CheckpointRef } from '../domain/artifact.ts';
import type { FailureType } from '../domain/errors.ts';
import type { RunRef } from '../domain/stage.ts';
import { addCheckpointEvent, readCheckpointEvents } from './checkpoint-events.ts';
import type { Host } from './host.ts';
import { pruneCheckpoints } from './prune-checkpoints.ts';
import { readSpec } from './read-run.ts';

/** What came of the evaluation of a checkpoint. */
export type CheckpointOutcome =
  | {
      readonly kind: 'evaluated';
      readonly accuracy: number;
      readonly toolCallsPerEpisode: number;
      readonly evaluation: string;
    }
  | { readonly kind: 'given-up'; readonly type: FailureType; readonly message: string };

/**
 * Writes down that the evaluation of a checkpoint is over, which is what its deletion waits for, and deletes what the
 * run needs no more. Checkpoints of another run, from which RL was taken, are left to that run.
 */
export const settleCheckpoint =
  (host: Host) =>
  async (run: RunRef, checkpoint: CheckpointRef, outcome: CheckpointOutcome): Promise<readonly number[]> => {
    const outputDir = dirname(checkpoint.path);
    if (!resolve(outputDir).startsWith(`${resolve(run.dir)}${sep}`)) return [];
    const { step, digest } = checkpoint;
    const events = await readCheckpointEvents(outputDir);
    const known = events.some((event) => event.kind === outcome.kind && event.step === step && event.digest === digest);
    if (!known) await addCheckpointEvent(outputDir, { ...outcome, step, digest, at: Date.now() });
    const { keepCheckpoints } = await readSpec(run);
    const deleted = await pruneCheckpoints(host, {
      runDir: run.dir,
      outputDir,
      keep: keepCheckpoints,
      evaluated: true,
    });
    if (deleted.length > 0) Context.current().log.info('checkpoints were deleted', { run: run.run, steps: deleted });
    return deleted;
  };
