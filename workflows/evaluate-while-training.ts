import {
  ApplicationFailure,
  CancellationScope,
  executeChild,
  isCancellation,
  log,
  ParentClosePolicy,
  patched,
  Trigger,
} from '@temporalio/workflow';
import type { EvaluationRecord } from '../activities/evaluate-model.ts';
import type { ServerEndpoint } from '../activities/model-server.ts';
import type { CheckpointOutcome } from '../activities/settle-checkpoint.ts';
import type { ArtifactRef, CheckpointRef } from '../domain/artifact.ts';
import { type FailureType, isFailureType } from '../domain/errors.ts';
import { overallSlice } from '../domain/overall-slice.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageResult } from '../domain/stage.ts';
import type { HostProxies } from './activity-proxies.ts';
import { type EvaluateCheckpointInput, type evaluateCheckpoint, evaluationPool } from './evaluate-checkpoint.ts';
import { rootFailure } from './failure.ts';
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
        ...evaluationPool(spec),
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

/** What is wrong with all checkpoints alike: the next evaluation would only find it again. */
const commonFaults: readonly FailureType[] = ['config', 'data', 'auth', 'cancelled'];

/** The end of an evaluation that cost only itself; undefined where training has to end with it. */
const givenUp = (error: unknown): Extract<CheckpointOutcome, { kind: 'given-up' }> | undefined => {
  if (isCancellation(error)) return undefined;
  const root = rootFailure(error);
  if (!(root instanceof ApplicationFailure) || !isFailureType(root.type) || commonFaults.includes(root.type))
    return undefined;
  const [message = ''] = root.message.split('\n');
  return patched('give-up-evaluation') ? { kind: 'given-up', type: root.type, message } : undefined;
};

/** Tells the host that an evaluation is over, which lets it delete checkpoints. That must never cost the run. */
const settle = async ({ run, host }: Input, checkpoint: CheckpointRef, outcome: CheckpointOutcome): Promise<void> => {
  if (!patched('settle-checkpoints')) return;
  try {
    await host.long.settleCheckpoint(run, checkpoint, outcome);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn(`checkpoint-${checkpoint.step} was not settled`, { error: rootFailure(error).message });
  }
};

/**
 * Trains by RL and evaluates each complete checkpoint meanwhile, one after the other and in the order of their steps. An
 * evaluation that fails by itself is given up with its class; a failure of training, or one that all evaluations would
 * meet, ends both.
 *
 * @throws the last failure of an evaluation where none succeeded.
 */
export const evaluateWhileTraining = async (
  input: Input,
): Promise<{ rl: StageResult; evaluations: CheckpointEvaluation[] }> => {
  const { run, host, board } = input;
  const evaluations: CheckpointEvaluation[] = [];
  const trained = new Trigger<StageResult>();
  let rl: StageResult | undefined;
  let lastGivenUp: unknown;

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

  const evaluateOrGiveUp = async (checkpoint: CheckpointRef): Promise<{ outcome: CheckpointOutcome; note: string }> => {
    try {
      const evaluated = await evaluate(input, checkpoint);
      evaluations.push(evaluated);
      const all = overallSlice(evaluated.record.result);
      const accuracy = all?.accuracy ?? 0;
      const outcome: CheckpointOutcome = {
        kind: 'evaluated',
        accuracy,
        toolCallsPerEpisode: all?.toolCallsPerEpisode ?? 0,
        evaluation: evaluated.record.artifact.path,
      };
      return { outcome, note: `validation accuracy ${(100 * accuracy).toFixed(1)} %` };
    } catch (error) {
      const outcome = givenUp(error);
      if (!outcome) throw error;
      lastGivenUp = error;
      log.warn(`the evaluation of checkpoint-${checkpoint.step} is given up`, { class: outcome.type });
      return { outcome, note: `not evaluated, ${outcome.type}: ${outcome.message}` };
    }
  };

  const evaluateAll = async (): Promise<void> => {
    const folder = `${run.dir}/checkpoints`;
    for (let after = 0; ; ) {
      const checkpoint = await next(folder, after);
      if (!checkpoint) return;
      after = checkpoint.step;
      const { outcome, note } = await evaluateOrGiveUp(checkpoint);
      board.note('evaluate-checkpoints', `checkpoint-${after}: ${note}`);
      await settle(input, checkpoint, outcome);
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
  if (evaluations.length === 0 && lastGivenUp) throw lastGivenUp;
  const cached = evaluations.every(({ record }) => record.cached);
  board.end('evaluate-checkpoints', cached ? 'cached' : 'completed', { attempts: 1 });
  return { rl, evaluations };
};
