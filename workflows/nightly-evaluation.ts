import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  ParentClosePolicy,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { NightlyResult } from '../activities/close-nightly.ts';
import type { EvaluationRecord } from '../activities/evaluate-model.ts';
import type { NightlyTarget } from '../activities/open-nightly.ts';
import { hostActivities } from './activity-proxies.ts';
import type { benchmarkSuite } from './benchmark-suite.ts';
import { createMessenger, tellEnding } from './messenger.ts';
import { runAttribute } from './search-attributes.ts';
import { createStageBoard } from './stage-board.ts';
import { progressQuery, stageProgressSignal } from './train-pipeline.ts';

export interface NightlyInput {
  /** Name of the run's family, as in `promoted/<name>.json`. */
  readonly name: string;
  readonly host: string;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const fallNote = ({ checkpoint, reference, accuracy, low, high }: NightlyResult): string =>
  `${checkpoint}: ${percent(accuracy)} [${percent(low)}, ${percent(high)}], at its promotion ${percent(reference)}`;

/**
 * Evaluates the promoted model anew on its test split and compares it with the figures at its promotion; the result says
 * whether it does worse by more than the interval. It tells so, and where it fails, whom the checkpoint's run told.
 */
export const nightlyEvaluation = async ({ name, host }: NightlyInput): Promise<NightlyResult> => {
  const { quick, cleanup } = hostActivities(host, 5);
  const workflowId = workflowInfo().workflowId;
  const board = createStageBoard(`nightly ${name}`);
  const target: NightlyTarget = await quick.openNightly({
    name,
    workflowId,
    execution: workflowInfo().firstExecutionRunId,
    startedAt: workflowInfo().startTime.toISOString(),
  });
  upsertSearchAttributes([{ key: runAttribute, value: target.run.run }]);
  setHandler(progressQuery, () => ({ run: target.run.run, dir: target.run.dir, stages: board.all() }));
  setHandler(stageProgressSignal, ({ stage, progress, attempt }) => board.progress(stage, progress, attempt));
  const messenger = createMessenger(target.run.run, () => ({ notify: target.notify ?? null, host, name }));
  try {
    board.begin('benchmark-suite');
    const [record]: EvaluationRecord[] = await executeChild<typeof benchmarkSuite>('benchmark-suite', {
      workflowId: `${workflowId}/benchmark-suite`,
      args: [
        {
          run: target.run,
          host,
          attempts: 5,
          startSeconds: target.startSeconds,
          models: [target.model],
          data: target.data,
          judge: null,
        },
      ],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    if (!record) throw ApplicationFailure.nonRetryable('expected one record of the suite, got none');
    board.end('benchmark-suite', 'completed', { attempts: 1 });
    const result = await quick.closeNightly(target, record);
    if (result.regression) messenger.tell('regressed', { stage: 'benchmark-suite', message: fallNote(result) });
    return result;
  } catch (error) {
    await tellEnding(messenger, board, error);
    throw error;
  } finally {
    await messenger.flush();
    await CancellationScope.nonCancellable(() => cleanup.teardownRun(target.run));
  }
};
