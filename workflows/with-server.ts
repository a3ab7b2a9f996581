import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  patched,
  sleep,
  startChild,
} from '@temporalio/workflow';
import type { ServerEndpoint } from '../activities/model-server.ts';
import type { ServerRequest } from '../activities/server-command.ts';
import type { RetryBudgets } from '../domain/failure-class.ts';
import type { RunRef } from '../domain/stage.ts';
import { type ServeModelInput, type serveModel, stopServingSignal } from './serve-model.ts';

const stopMs = 60_000;

/** A served model, and how to let go of it. */
export interface ServedModel {
  readonly endpoint: () => ServerEndpoint;
  readonly stop: () => Promise<void>;
  /** Rejects where the server has failed for good, or was stopped. */
  readonly failed: Promise<never>;
}

/**
 * Starts the `serve-model` workflow of a server and waits until it is ready. `ready` holds the endpoints that the
 * parent's handler of `model-ready` has received.
 */
export const startServer = async (
  run: RunRef,
  host: string,
  request: ServerRequest,
  options: {
    attempts: number;
    retries?: RetryBudgets | undefined;
    startSeconds: number;
    idPrefix: string;
    ready: Map<string, ServerEndpoint>;
    /** Whether nobody can answer on the host any more. */
    isSilent?: () => boolean;
  },
): Promise<ServedModel> => {
  const { attempts, retries, ready } = options;
  const child = await startChild<typeof serveModel>('serve-model', {
    // A server on a host that was lost may be there for a while yet.
    workflowId: `${options.idPrefix}/serve-${request.name}${run.lease ? `-${run.lease.fence}` : ''}`,
    args: [{ run, host, request, attempts, ...(retries ? { retries } : {}) } satisfies ServeModelInput],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    staticSummary: `serves ${request.servedName} on ${host}`,
  });
  const stop = async (): Promise<void> => {
    const heard = await child.signal(stopServingSignal).then(
      () => true,
      () => false,
    );
    if (options.isSilent?.()) return;
    const ended = child.result().catch(() => undefined);
    // After a reset the child is one of the execution before, and hears this one only as it hears strangers.
    const estranged = !heard && patched('stop-estranged-server');
    if (estranged)
      await getExternalWorkflowHandle(child.workflowId)
        .signal(stopServingSignal)
        .catch(() => undefined);
    // Where the host of a lease is lost nobody can tell that the server ended; its lease says that it may not run.
    await (run.lease || estranged ? Promise.race([ended, sleep(stopMs)]) : ended);
  };
  // A server that fails for good ends the wait at once, with its own reason.
  const failed = child.result().then(() => {
    throw ApplicationFailure.create({ type: 'infrastructure', message: `the server ${request.name} was stopped` });
  });
  failed.catch(() => undefined);
  // Every attempt may take the server's whole time to start.
  const limitMs = 1000 * (options.startSeconds + 60) * attempts;
  const inTime = await Promise.race([condition(() => ready.has(request.name), limitMs), failed]);
  const endpoint = (): ServerEndpoint => {
    const found = ready.get(request.name);
    if (!found) throw ApplicationFailure.create({ type: 'infrastructure', message: `${request.name} is not ready` });
    return found;
  };
  if (!inTime) {
    await CancellationScope.nonCancellable(stop);
    throw ApplicationFailure.create({
      type: 'infrastructure',
      message: `the server ${request.name} was not ready within ${limitMs / 1000} s`,
    });
  }
  return { endpoint, stop, failed };
};
