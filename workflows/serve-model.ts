import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { ServerEndpoint } from '../activities/model-server.ts';
import type { ServerRequest } from '../activities/server-command.ts';
import type { RetryBudgets } from '../domain/failure-class.ts';
import type { RunRef } from '../domain/stage.ts';
import { hostActivities } from './activity-proxies.ts';

export interface ServeModelInput {
  readonly run: RunRef;
  readonly host: string;
  readonly request: ServerRequest;
  /** Times in a row that the server may die within an hour before the workflow fails. */
  readonly attempts: number;
  /** `limits.retries` of the run spec; the defaults where it is absent. */
  readonly retries?: RetryBudgets;
}

/** A server that served for so long was well. */
const calmMs = 60 * 60_000;
const longestPauseMs = 60_000;

/** Sent by a server's workflow to its parent each time the server is ready. */
export const modelReadySignal = defineSignal<[ServerEndpoint]>('model-ready');
/** Tells a server's workflow that nobody needs it any more. */
export const stopServingSignal = defineSignal('stop-serving');

/**
 * Keeps a model server running until it is told to stop: launches it, tells the parent where it answers, starts it
 * again where it dies, and takes it down at every ending.
 */
export const serveModel = async ({ run, host, request, attempts, retries }: ServeModelInput): Promise<void> => {
  const { long, cleanup } = hostActivities(host, attempts, retries);
  const { parent } = workflowInfo();
  let stopped = false;
  setHandler(stopServingSignal, () => {
    stopped = true;
  });

  try {
    for (let died = 0; !stopped; died += 1) {
      const endpoint = await long.launchModelServer(run, request);
      const readyAt = Date.now();
      if (parent) await getExternalWorkflowHandle(parent.workflowId).signal(modelReadySignal, endpoint);
      const watch = new CancellationScope();
      const death = watch.run(() => long.superviseModelServer(run, request));
      const ended = await Promise.race([death, condition(() => stopped).then(() => null)]);
      watch.cancel();
      if (ended === null) {
        await death.catch((error: unknown) => {
          if (!isCancellation(error)) throw error;
        });
        break;
      }
      // Deaths that lie far apart are no loop; a server may serve for months.
      if (Date.now() - readyAt > calmMs && patched('calm-server')) died = 0;
      // A plain error would fail the workflow's task, which Temporal tries again for ever.
      if (died + 1 >= attempts)
        throw ApplicationFailure.create({
          type: 'crash_loop',
          nonRetryable: true,
          message: `the server ${request.name} died ${died + 1} times, last: ${ended}`,
        });
      await sleep(Math.min(longestPauseMs, 1000 * 2 ** died));
    }
  } finally {
    await CancellationScope.nonCancellable(() => cleanup.stopModelServer(run, request));
  }
};
