import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactRef } from '../domain/artifact.ts';
import { LensmithError } from '../domain/errors.ts';
import type { RunRef, StageName, StageResult } from '../domain/stage.ts';
import type { TrainerConfig } from '../domain/trainer-config.ts';
import { verifyArtifact } from '../processes/artifact.ts';
import type { Attempt } from './attempts.ts';
import { type CheckpointCare, prepareAttempt, stageMeter } from './checkpoint-care.ts';
import { underLease } from './gpu-hours-lease.ts';
import type { Host } from './host.ts';
import { type MicroBatch, nextMicroBatch, smallerMicroBatch } from './micro-batch.ts';
import { processLauncher } from './process-launcher.ts';
import type { ProgramLauncher } from './program-launcher.ts';
import { runProgram } from './run-program.ts';
import { trainerCommand } from './trainer-command.ts';
import { withCache } from './with-cache.ts';

export interface ModelTraining {
  readonly run: RunRef;
  readonly stage: StageName;
  /** Module of `lensmith_trainers`. */
  readonly program: string;
  readonly key: string;
  readonly outputDir: string;
  readonly threads: number;
  readonly stallSeconds: number;
  /** Seconds that the one who keeps the program may be silent. */
  readonly patienceSeconds: number;
  readonly launcher?: ProgramLauncher;
  /** Absent where the program has no micro-batch, so that nothing can be done where it runs out of memory. */
  readonly microBatch?: MicroBatch;
  readonly care: CheckpointCare;
  readonly config: (attempt: Attempt, resumeFrom: string | null) => TrainerConfig;
}

const modelFolder = (outputDir: string): string => join(outputDir, 'model');

const modelOf = async (outputDir: string): Promise<ArtifactRef> => {
  const path = modelFolder(outputDir);
  const verified = await verifyArtifact(path, { deep: true });
  if (!verified.ok)
    throw new LensmithError('infrastructure', `the program ended well but its model is not whole: ${verified.reason}`, {
      where: path,
    });
  return { kind: 'model', path, digest: verified.manifest.digest, details: verified.manifest.details };
};

/**
 * Trains a model with one of the Python programs, unless its key has one. A new attempt goes on from the newest
 * checkpoint that is complete and whole, by explicit path; a torn one is passed over, and where all are torn it does not
 * begin anew. After an attempt that ran out of
 * memory it takes a smaller micro-batch.
 */
export const trainModel = (host: Host, training: ModelTraining): Promise<StageResult> =>
  withCache(host, training.run, training.stage, training.key, async () => {
    await mkdir(training.outputDir, { recursive: true });
    const { microBatch } = training;
    const cared = { ...training, ...training.care };
    const { attempt } = await underLease(training.run, () =>
      runProgram({
        run: training.run,
        stage: training.stage,
        launcher: training.launcher ?? processLauncher(host, training.run, training.stage),
        python: host.python,
        stallSeconds: training.stallSeconds,
        patienceSeconds: training.patienceSeconds,
        meter: stageMeter(host, cared),
        ...(microBatch ? { shrink: (size: number) => smallerMicroBatch(size, microBatch.divides) } : {}),
        isWhole: async () => (await verifyArtifact(modelFolder(training.outputDir), { deep: true })).ok,
        plan: async (next) => {
          const checkpoint = await prepareAttempt(next, cared);
          const config = training.config(next, checkpoint?.path ?? null);
          const { run, stage } = training;
          return {
            config: microBatch ? { ...config, microBatchSize: await nextMicroBatch(run, stage, microBatch) } : config,
            ...trainerCommand(host, training.program, next.config, training.threads),
            resumeStep: checkpoint?.step ?? null,
          };
        },
      }),
    );
    return { artifact: await modelOf(training.outputDir), attempts: attempt.number };
  });
