import { Context } from '@temporalio/activity';
import { LensmithError } from '../domain/errors.ts';
import { budgetUnit, heldBy } from '../domain/gpu-hours-resources.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageName } from '../domain/stage.ts';
import type { ResumePoint } from '../processes/artifact.ts';
import type { Attempt } from './attempts.ts';
import { ensureRoomForCheckpoints, miniatureParameters, modelParameters } from './checkpoint-disk.ts';
import { recordFailure } from './failure-record.ts';
import { createMeter } from './gpu-hours-meter.ts';
import type { Host } from './host.ts';
import type { ProgramMeter } from './program-run.ts';
import { pruneCheckpoints } from './prune-checkpoints.ts';
import { checkpointToResume } from './resume-checkpoint.ts';

/** What the care for a stage's checkpoints depends on. */
export interface CheckpointCare {
  readonly spec: RunSpec;
  /** GPUs that the spec gives the stage. */
  readonly gpus: number;
  readonly steps: number;
  readonly saveEvery: number;
  /** Whether each checkpoint is evaluated, and has to be before it may be deleted. */
  readonly evaluated: boolean;
  /** Folder of the model that the stage begins with; null where it builds the miniature. */
  readonly model: string | null;
}

interface CaredStage extends CheckpointCare {
  readonly run: RunRef;
  readonly stage: StageName;
  readonly outputDir: string;
  readonly threads: number;
}

/** Deletes old checkpoints of a stage beside its program, one time after the other. */
const pruneBeside = (host: Host, { run, outputDir, spec, evaluated }: CaredStage): (() => Promise<void>) => {
  let under: Promise<unknown> = Promise.resolve();
  return async () => {
    const { log } = Context.current();
    under = under
      .then(() => pruneCheckpoints(host, { runDir: run.dir, outputDir, keep: spec.keepCheckpoints, evaluated }))
      .catch((error: unknown) => log.warn('old checkpoints could not be deleted', { error: String(error) }));
    await under;
  };
};

/** Watches over what a stage uses. Checkpoints that nobody evaluates are deleted as newer ones appear. */
export const stageMeter = (host: Host, stage: CaredStage): ProgramMeter => {
  const { spec, threads } = stage;
  const { limits } = spec;
  return createMeter({
    run: stage.run,
    stage: stage.stage,
    outputDir: stage.outputDir,
    saveEvery: stage.saveEvery,
    stallSeconds: limits.stallSeconds,
    held: heldBy(spec, stage.run.lease?.gpus.length ?? stage.gpus, threads),
    limit: limits.gpuHours === null ? null : { unit: budgetUnit(spec), hours: limits.gpuHours },
    warning: limits.gpuHoursWarning,
    ...(stage.evaluated ? {} : { onCheckpoint: pruneBeside(host, stage) }),
  });
};

const check = async (attempt: Attempt, stage: CaredStage): Promise<ResumePoint['checkpoint']> => {
  const checkpoint = await checkpointToResume(stage.run, attempt, stage.outputDir);
  await ensureRoomForCheckpoints({
    ...stage,
    keep: stage.spec.keepCheckpoints,
    parameters: stage.model === null ? miniatureParameters : await modelParameters(stage.model),
  });
  return checkpoint;
};

/**
 * What has to be right before an attempt of a stage starts: there is room for its checkpoints, and where there are any,
 * one of them is whole. Gives the one to go on from. A refusal is written down as the failure of the attempt.
 */
export const prepareAttempt = async (attempt: Attempt, stage: CaredStage): Promise<ResumePoint['checkpoint']> => {
  try {
    return await check(attempt, stage);
  } catch (error) {
    if (!(error instanceof LensmithError)) throw error;
    const [evidence = ''] = error.message.split('\n');
    throw await recordFailure(
      attempt,
      { type: error.type, evidence },
      `${error.where ?? stage.outputDir}: ${error.message}`,
    );
  }
};
