import { CancellationScope, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { EvaluationRecord, EvaluationRequest } from '../activities/evaluate-model.ts';
import type { ServerEndpoint } from '../activities/model-server.ts';
import type { RetryBudgets } from '../domain/failure-class.ts';
import { type PoolSpec, poolOf, type RunSpec } from '../domain/run-spec.ts';
import type { RunRef } from '../domain/stage.ts';
import { hostActivities } from './activity-proxies.ts';
import { openLeaseDesk } from './gpu-pool-client.ts';
import { createPlaces, type Place, type PlaceWish } from './places.ts';
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
  /** Where the pool finds the host; absent where `host` is the one. */
  readonly pool?: PoolSpec & { readonly gpus: number; readonly cpus: number };
}

/** The part of the input that a spec with the pool has. */
export const evaluationPool = (spec: RunSpec): Pick<EvaluateCheckpointInput, 'pool'> => {
  const pool = poolOf(spec);
  return pool ? { pool: { ...pool, gpus: spec.gpus.evaluation, cpus: spec.serving.threads } } : {};
};

/**
 * Serves a checkpoint, runs it through a split and takes the server down. An evaluation that exists for the same
 * model, data, protocol and sampling is taken as it is.
 */
export const evaluateCheckpoint = async (input: EvaluateCheckpointInput): Promise<EvaluationRecord> => {
  const { request, attempts, retries, pool } = input;
  const { quick } = hostActivities(input.host, attempts, retries);
  const ready = new Map<string, ServerEndpoint>();
  setHandler(modelReadySignal, (endpoint) => {
    ready.set(endpoint.name, endpoint);
  });
  const known = await quick.findEvaluation(input.run, request);
  if (known) return known;
  const places = createPlaces({
    run: input.run,
    hostName: input.host,
    pool: pool ?? null,
    desk: openLeaseDesk(),
    proxiesOf: (hostName) => hostActivities(hostName, attempts, retries),
  });
  const { workflowId } = workflowInfo();
  const wish: PlaceWish = {
    part: 'evaluation',
    purpose: `evaluates ${request.modelName} ${request.checkpoint}`,
    gpus: pool?.gpus ?? 0,
    cpus: pool?.cpus ?? 1,
    ports: 1,
    onNote: (note) => setCurrentDetails(note),
  };
  return places.on(wish, (place) => serveAndEvaluate(input, place, workflowId, ready));
};

const serveAndEvaluate = async (
  { request, attempts, retries, startSeconds, judge }: EvaluateCheckpointInput,
  { run, hostName: host, host: { once, retry }, isSilent }: Place,
  idPrefix: string,
  ready: Map<string, ServerEndpoint>,
): Promise<EvaluationRecord> => {
  ready.clear();
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
    { attempts, retries, startSeconds, idPrefix, ready, isSilent },
  );
  try {
    // A server that died answers elsewhere when it is back.
    return await retry('evaluateModel', () => once.evaluateModel(run, request, server.endpoint(), judge));
  } finally {
    await CancellationScope.nonCancellable(server.stop);
  }
};
