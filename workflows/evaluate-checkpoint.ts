import { CancellationScope, setHandler, workflowInfo } from '@temporalio/workflow';
import type { EvaluationRecord, EvaluationRequest } from '../activities/evaluate-model.ts';
import type { ServerEndpoint } from '../activities/model-server.ts';
import type { RetryBudgets } from '../domain/failure-class.ts';
import type { RunRef } from '../domain/stage.ts';
import { hostActivities } from './activity-proxies.ts';
import { modelReadySignal } from './serve-model.ts';
import { startServer } from './with-server.ts';

export interface EvaluateCheckpointInput {
  readonly run: RunRef;
  readonly host: string;
  readonly attempts: number;
  /** `limits.retries` of the run spec; the defaults where it is absent. */
  readonly retries?: RetryBudgets;
  readonly startSeconds: number;
  readonly request: EvaluationRequest;
  readonly judge: ServerEndpoint | null;
}

/**
 * Serves a checkpoint, runs it through a split and takes the server down. An evaluation that exists for the same
 * model, data, protocol and sampling is taken as it is.
 */
export const evaluateCheckpoint = async (input: EvaluateCheckpointInput): Promise<EvaluationRecord> => {
  const { run, host, request, attempts, retries, startSeconds } = input;
  const { quick, once, retry } = hostActivities(host, attempts, retries);
  const ready = new Map<string, ServerEndpoint>();
  setHandler(modelReadySignal, (endpoint) => {
    ready.set(endpoint.name, endpoint);
  });
  const known = await quick.findEvaluation(run, request);
  if (known) return known;

  const name = `${request.modelName}-${request.checkpoint}`;
  const server = await startServer(
    run,
    host,
    {
      name: `${name}-${request.split}`,
      model: request.model.path,
      modelDigest: request.model.digest,
      servedName: name,
      role: 'policy',
      port: null,
    },
    { attempts, retries, startSeconds, idPrefix: workflowInfo().workflowId, ready },
  );
  try {
    // A server that died answers elsewhere when it is back.
    return await retry('evaluateModel', () => once.evaluateModel(run, request, server.endpoint(), input.judge));
  } finally {
    await CancellationScope.nonCancellable(server.stop);
  }
};
