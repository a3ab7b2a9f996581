import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type ArtifactRef, artifactRefSchema, type CheckpointRef, checkpointRefSchema } from '../domain/artifact.ts';
import { overallSlice } from '../domain/overall-slice.ts';
import type { RunRef } from '../domain/stage.ts';
import { compareEvaluations } from '../evaluation/compare.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import type { EvaluationRecord } from './evaluate-model.ts';
import type { Host } from './host.ts';
import { readSpec } from './read-run.ts';

/** `promoted/<name>.json` and a run's `promotion.json`. */
export const promotionRecordSchema = z.strictObject({
  run: z.string(),
  dir: z.string(),
  at: z.iso.datetime(),
  decision: z.enum(['promoted', 'held', 'forced']),
  why: z.string(),
  checkpoint: checkpointRefSchema,
  data: artifactRefSchema,
  /** Accuracy over the whole test split when it was decided. */
  accuracy: z.number(),
});
export type PromotionRecord = z.infer<typeof promotionRecordSchema>;

export const promotedFile = (host: Pick<Host, 'home'>, name: string): string =>
  join(host.home, 'promoted', `${name}.json`);

/** What became of the best checkpoint, and the figures behind it. */
export interface Promotion {
  readonly decision: 'promoted' | 'held' | 'forced';
  readonly why: string;
  readonly checkpoint: CheckpointRef;
  /** File that names the promoted checkpoint; null where it was held. */
  readonly record: string | null;
}

const points = (share: number): string => `${(100 * share).toFixed(1)} points`;

/**
 * Promotes the best checkpoint where it beats SFT on the test split by more than the paired interval, or keeps the
 * accuracy within the tolerance and saves tool calls by more than their interval.
 */
export const promote =
  (host: Host) =>
  async (
    run: RunRef,
    checkpoint: CheckpointRef,
    sft: EvaluationRecord,
    rl: EvaluationRecord,
    data: ArtifactRef,
  ): Promise<Promotion> => {
    const { promotion, name } = await readSpec(run);
    const { accuracy, toolCalls } = await compareEvaluations(sft.artifact.path, rl.artifact.path);
    const figures =
      `accuracy ${points(overallSlice(sft.result)?.accuracy ?? 0)} → ${points(overallSlice(rl.result)?.accuracy ?? 0)}, ` +
      `difference ${points(accuracy.difference)} [${points(accuracy.low)}, ${points(accuracy.high)}]; tool calls an ` +
      `episode ${toolCalls.difference.toFixed(2)} [${toolCalls.low.toFixed(2)}, ${toolCalls.high.toFixed(2)}]`;
    const better = accuracy.low > 0;
    const cheaper = accuracy.difference >= -promotion.tolerance && accuracy.high > 0 && toolCalls.high < 0;
    const decision = better || cheaper ? 'promoted' : promotion.force ? 'forced' : 'held';
    const why = better
      ? `RL beats SFT by more than the interval: ${figures}`
      : cheaper
        ? `RL keeps the accuracy of SFT with fewer tool calls: ${figures}`
        : `no detectable gain over SFT: ${figures}`;
    const record: PromotionRecord = {
      run: run.run,
      dir: run.dir,
      at: new Date().toISOString(),
      decision,
      why,
      checkpoint,
      data,
      accuracy: overallSlice(rl.result)?.accuracy ?? 0,
    };
    await writeFileAtomic(join(run.dir, 'promotion.json'), `${JSON.stringify(record, null, 2)}\n`);
    if (decision === 'held') return { decision, why, checkpoint, record: null };
    const file = promotedFile(host, name);
    await mkdir(join(host.home, 'promoted'), { recursive: true });
    await writeFileAtomic(file, `${JSON.stringify(record, null, 2)}\n`);
    return { decision, why, checkpoint, record: file };
  };
