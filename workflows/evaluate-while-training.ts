import {
  ApplicationFailure,
  CancellationScope,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  Trigger,
} from '@temporalio/workflow';
import type { EvaluationRecord } from '../activities/evaluate-model.ts';
import type { ServerEndpoint } from '../activities/model-server.ts';
import type { ArtifactRef, CheckpointRef } from '../domain/artifact.ts';
import { overallSlice } from '../domain/overall-slice.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageResult } from '../domain/stage.ts';
import type { HostProxies } from './activity-proxies.ts';
import type { EvaluateCheckpointInput, evaluateCheckpoint } from './evaluate-checkpoint.ts';
import type { StageBoard } from './stage-board.ts';

/** A checkpoint and what came of it on the validation split. */
export interface CheckpointEvaluation {
  readonly checkpoint: CheckpointRef;
  readonly record: EvaluationRecord;
}

interface Input {
  readonly run: RunRef;
  readonly spec: RunSpec;
  readonly host: HostProxies;
  readonly board: StageBoard;
  readonly data: ArtifactRef;
  readonly judge: ServerEndpoint | null;
  readonly train: () => Promise<StageResult>;
}

const evaluate = async (input: Input, checkpoint: CheckpointRef): Promise<CheckpointEvaluation> => {
  const { run, spec, data, judge } = input;
  const record = await executeChild<typeof evaluateCheckpoint>('evaluate-checkpoint', {
    workflowId: `${run.workflowId}/evaluate-step-${checkpoint.step}`,
    args: [
      {
        run,
        host: spec.host,
        attempts: spec.limits.attempts,
        retries: spec.limits.retries,
        startSeconds: spec.serving.startSeconds,
        judge,
        request: {
          modelName: 'rl',
          checkpoint: `checkpoint-${checkpoint.step}`,
          model: checkpoint,
          data,
          split: 'validation',
          stage: 'evaluate-checkpoints',
        },
      } satisfies EvaluateCheckpointInput,
    ],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `checkpoint-${checkpoint.step} on the validation split`,
  });
  return { checkpoint, record };
};

/**
 * Trains by RL and evaluates each complete checkpoint meanwhile, one after the other and in the order of their steps.
 * A failure of either ends both.
 */
export const evaluateWhileTraining = async (
  input: Input,
): Promise<{ rl: StageResult; evaluations: CheckpointEvaluation[] }> => {
  const { run, host, board } = input;
  const evaluations: CheckpointEvaluation[] = [];
  const trained = new Trigger<StageResult>();
  let rl: StageResult | undefined;

  const next = async (folder: string, after: number): Promise<CheckpointRef | undefined> => {
    if (rl) return (await host.quick.listRlCheckpoints(run, rl.artifact.path)).find(({ step }) => step > after);
    const watch = new CancellationScope();
    const found = watch.run(() => host.long.awaitCheckpoint(run, folder, after));
    // Once RL has ended the list is final, and the watch would wait for ever.
    const first = await Promise.race([found, trained.then(() => undefined)]);
    if (first) return first;
    watch.cancel();
    await found.catch((error: unknown) => {
      if (!isCancellation(error)) throw error;
    });
    return next(folder, after);
  };

  const evaluateAll = async (): Promise<void> => {
    const folder = `${run.dir}/checkpoints`;
    for (let after = 0; ; ) {
      const checkpoint = await next(folder, after);
      if (!checkpoint) return;
      const evaluated = await evaluate(input, checkpoint);
      evaluations.push(evaluated);
      after = checkpoint.step;
      const all = overallSlice(evaluated.record.result);
      board.note(
        'evaluate-checkpoints',
        evaluations.length,
        `checkpoint-${after}: validation accuracy ${(100 * (all?.accuracy ?? 0)).toFixed(1)} %`,
      );
    }
  };

  const train = async (): Promise<void> => {
    const result = await input.train();
    rl = result;
    board.end('rl', result.state, { attempts: result.attempts });
    trained.resolve(result);
  };

  const scope = new CancellationScope();
  await scope.run(async () => {
    const both = [train(), evaluateAll()];
    try {
      await Promise.all(both);
    } catch (error) {
      scope.cancel();
      await Promise.allSettled(both);
      throw error;
    }
  });
  if (!rl) throw ApplicationFailure.nonRetryable('RL ended without a result');
  const cached = evaluations.every(({ record }) => record.cached);
  board.end('evaluate-checkpoints', cached ? 'cached' : 'completed', { attempts: evaluations.length });
  return { rl, evaluations };
};
