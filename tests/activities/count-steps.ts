import { join } from 'node:path';
import type { Host } from '../../activities/host.ts';
import { readSpec } from '../../activities/read-run.ts';
import { trainModel } from '../../activities/train-model.ts';
import { reportFiles } from '../../activities/trainer-command.ts';
import type { RunRef, StageResult } from '../../domain/stage.ts';

export interface Counting {
  readonly steps: number;
  readonly saveEvery: number;
  /** Seconds. */
  readonly step: number;
  readonly load?: number;
  readonly haltAt?: number;
  readonly threads?: number;
}

export const countedFolder = (run: RunRef): string => join(run.dir, 'sft');

/** The stage `sft` of a run with the trainer that counts; call it where activities run. */
export const countSteps = async (host: Host, run: RunRef, counting: Counting): Promise<StageResult> => {
  const { steps, saveEvery, threads = 1 } = counting;
  const spec = await readSpec(run);
  return trainModel(host, {
    run,
    stage: 'sft',
    program: 'stepper',
    key: 'c'.repeat(64),
    outputDir: countedFolder(run),
    threads,
    stallSeconds: spec.limits.stallSeconds,
    patienceSeconds: 60,
    care: { spec, gpus: 0, steps, saveEvery, evaluated: false, model: null },
    config: (attempt, resumeFrom) => ({
      program: 'sft',
      run: run.run,
      seed: 0,
      threads,
      device: 'cpu',
      ...reportFiles(attempt),
      outputDir: countedFolder(run),
      resumeFrom,
      steps,
      learningRate: 0.001,
      warmupSteps: 0,
      saveEvery,
      model: '/models/base',
      dataset: '/data/sft.parquet',
      batchSize: 1,
      microBatchSize: 1,
      stepSeconds: counting.step,
      loadSeconds: counting.load ?? 0,
      ...(counting.haltAt === undefined ? {} : { haltAt: counting.haltAt }),
    }),
  });
};
