import {
  type Client,
  isGrpcCancelledError,
  isGrpcDeadlineError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { typedFailureOf } from '../activities/failures.ts';
import { LensmithError } from '../domain/errors.ts';
import type { gpuPool } from '../workflows/gpu-pool.ts';
import { poolWorkflowId } from '../workflows/gpu-pool-messages.ts';
import { withClient } from './connect.ts';

const answerMs = 10_000;

const readable = (error: unknown): unknown => {
  if (error instanceof WorkflowNotFoundError)
    return new LensmithError(
      'infrastructure',
      'there is no gpu-pool; the first host worker starts it, on this machine with "lensmith up"',
      { where: poolWorkflowId, cause: error },
    );
  if (isGrpcDeadlineError(error) || isGrpcCancelledError(error))
    return new LensmithError(
      'infrastructure',
      `the gpu-pool did not answer within ${answerMs / 1000} s; is a control worker running ("lensmith status")?`,
      { where: poolWorkflowId, cause: error },
    );
  const failure = error instanceof WorkflowUpdateFailedError ? typedFailureOf(error) : undefined;
  return failure ? new LensmithError(failure.type, failure.message, { cause: error }) : error;
};

/**
 * Speaks to the pool.
 *
 * @throws LensmithError `infrastructure` where there is none, or none that answers; else what the pool refuses with
 */
export const withPool = <T>(work: (pool: WorkflowHandle<typeof gpuPool>, client: Client) => Promise<T>): Promise<T> =>
  withClient(async (client) => {
    try {
      return await client.withDeadline(Date.now() + answerMs, () =>
        work(client.workflow.getHandle<typeof gpuPool>(poolWorkflowId), client),
      );
    } catch (error) {
      throw readable(error);
    }
  });
