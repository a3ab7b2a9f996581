import { ChildWorkflowCancellationType, executeChild, ParentClosePolicy, workflowInfo } from '@temporalio/workflow';
import type { EvaluationRecord } from '../activities/evaluate-model.ts';
import type { ServerEndpoint } from '../activities/model-server.ts';
import type { ArtifactRef } from '../domain/artifact.ts';
import type { RetryBudgets } from '../domain/failure-class.ts';
import type { RunRef } from '../domain/stage.ts';
import type { EvaluateCheckpointInput, evaluateCheckpoint } from './evaluate-checkpoint.ts';

export interface BenchmarkModel {
  readonly modelName: string;
  readonly checkpoint: string;
  readonly model: ArtifactRef;
  /** See `EvaluationRequest.occasion`. */
  readonly occasion?: string;
}

export interface BenchmarkSuiteInput {
  readonly run: RunRef;
  readonly host: string;
  readonly attempts: number;
  /** `limits.retries` of the run spec; the defaults where it is absent. */
  readonly retries?: RetryBudgets;
  readonly startSeconds: number;
  readonly models: readonly BenchmarkModel[];
  readonly data: ArtifactRef;
  readonly judge: ServerEndpoint | null;
  readonly pool?: EvaluateCheckpointInput['pool'];
}

/** Runs each model through the held-out test split, one after the other: they share the host. */
export const benchmarkSuite = async (input: BenchmarkSuiteInput): Promise<EvaluationRecord[]> => {
  const { run, host, attempts, retries, startSeconds, models, data, judge, pool } = input;
  const records: EvaluationRecord[] = [];
  for (const model of models) {
    records.push(
      await executeChild<typeof evaluateCheckpoint>('evaluate-checkpoint', {
        workflowId: `${workflowInfo().workflowId}/${model.modelName}-${model.checkpoint}`,
        args: [
          {
            run,
            host,
            attempts,
            ...(retries ? { retries } : {}),
            startSeconds,
            judge,
            ...(pool ? { pool } : {}),
            request: { ...model, data, split: 'test', stage: 'benchmark-suite' },
          } satisfies EvaluateCheckpointInput,
        ],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        staticSummary: `${model.modelName} ${model.checkpoint} on the test split`,
      }),
    );
  }
  return records;
};
