import { join, resolve } from 'node:path';
import { decideKeep, type KeptCheckpoint } from '../domain/checkpoint-keep.ts';
import { historyOf } from '../domain/checkpoint-ledger.ts';
import { listCheckpoints } from '../processes/artifact.ts';
import { deleteCheckpoint, sweepTombs } from '../processes/delete-checkpoint.ts';
import { verifyArtifact } from '../processes/verify-artifact.ts';
import { addCheckpointEvent, readCheckpointEvents } from './checkpoint-events.ts';
import type { Host } from './host.ts';
import { promotedCheckpoints } from './promoted-checkpoints.ts';

export interface PruneOptions {
  /** Folder of the run that wrote the checkpoints. */
  readonly runDir: string;
  /** Folder of the checkpoints. */
  readonly outputDir: string;
  readonly keep: number | null;
  /** Whether each checkpoint has to wait for its evaluation. */
  readonly evaluated: boolean;
}

/** The newest checkpoint whose bytes are known to be whole; each is compared with its manifest once. */
const newestVerified = async (
  outputDir: string,
  checkpoints: readonly KeptCheckpoint[],
): Promise<number | undefined> => {
  const events = await readCheckpointEvents(outputDir);
  for (const { step, digest } of [...checkpoints].sort((a, b) => b.step - a.step)) {
    if (historyOf(events, { step, digest }).verified) return step;
    if (!(await verifyArtifact(join(outputDir, `checkpoint-${step}`), { deep: true })).ok) continue;
    await addCheckpointEvent(outputDir, { kind: 'verified', step, digest, at: Date.now() });
    return step;
  }
  return undefined;
};

/**
 * Deletes the checkpoints of a stage that nobody needs any more, by `decideKeep`, and what a deletion has left that was
 * cut off. Nothing goes unless a newer checkpoint is known to be whole. Returns the steps that were deleted.
 */
export const pruneCheckpoints = async (host: Pick<Host, 'home'>, options: PruneOptions): Promise<number[]> => {
  const { runDir, outputDir, keep, evaluated } = options;
  await sweepTombs(outputDir);
  if (keep === null) return [];
  const events = await readCheckpointEvents(outputDir);
  const promoted = await promotedCheckpoints(host, runDir);
  const checkpoints = (await listCheckpoints(outputDir)).map(({ step, digest }): KeptCheckpoint => {
    return { step, digest, settled: historyOf(events, { step, digest }).settled };
  });
  const goes = decideKeep(checkpoints, {
    keep,
    evaluated,
    isPromoted: ({ step }) => promoted.has(resolve(outputDir, `checkpoint-${step}`)),
  }).filter(({ reasons }) => reasons.length === 0);
  if (goes.length === 0) return [];
  const whole = await newestVerified(outputDir, checkpoints);
  const deleted: number[] = [];
  for (const { checkpoint } of goes.reverse()) {
    const { step, digest } = checkpoint;
    if (whole === undefined || step >= whole) continue;
    await addCheckpointEvent(outputDir, { kind: 'pruned', step, digest, at: Date.now() });
    await deleteCheckpoint(join(outputDir, `checkpoint-${step}`));
    deleted.push(step);
  }
  return deleted;
};
