import { setTimeout as delay } from 'node:timers/promises';
import {
  isGrpcCancelledError,
  isGrpcDeadlineError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { typedFailureOf } from '../activities/failures.ts';
import { LensmithError } from '../domain/errors.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { HoldState, HoldStatus, PipelineProgress, StageName } from '../domain/stage.ts';
import { pauseUpdate, resumeUpdate } from '../workflows/hold.ts';
import { canBeAsked } from './run-client.ts';

const answerMs = 30_000;
const pollMs = 500;

const readable = (error: unknown, run: string): unknown => {
  if (error instanceof WorkflowNotFoundError)
    return new LensmithError('config', `the run "${run}" is over; "lensmith resume ${run}" goes on with it`, {
      where: 'RUN',
      cause: error,
    });
  if (
    error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
    isGrpcDeadlineError(error) ||
    isGrpcCancelledError(error)
  )
    return new LensmithError(
      'infrastructure',
      `the run "${run}" did not answer within ${answerMs / 1000} s; is a control worker running ("lensmith status")? ` +
        'What was asked stays asked',
      { where: 'RUN', cause: error },
    );
  const failure = error instanceof WorkflowUpdateFailedError ? typedFailureOf(error) : undefined;
  return failure ? new LensmithError(failure.type, failure.message, { cause: error }) : error;
};

const answered = async <T>(handle: WorkflowHandle, run: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await handle.client.withDeadline(Date.now() + answerMs, work);
  } catch (error) {
    throw readable(error, run);
  }
};

/** Asks a run to pause; gives the state that it is in then. */
export const holdRun = (handle: WorkflowHandle, run: string): Promise<HoldState> =>
  answered(handle, run, () => handle.executeUpdate(pauseUpdate));

/** What a run does, asked by its query; null where it is over. */
export const readHold = async (handle: WorkflowHandle): Promise<HoldStatus | 'running' | null> => {
  if (!(await canBeAsked(handle))) return null;
  return (await handle.query<PipelineProgress>('progress')).hold ?? 'running';
};

/**
 * Lets a paused run go on, and waits for a while until it does. Gives whether it does.
 *
 * @throws LensmithError `config` where the run could not go on as it was told, with its reason; it is paused still.
 */
export const releaseRun = async (
  handle: WorkflowHandle,
  run: string,
  order: { spec: RunSpec | null; from: StageName | null },
): Promise<boolean> => {
  const before = await readHold(handle);
  await answered(handle, run, () => handle.executeUpdate(resumeUpdate, { args: [order] }));
  const deadline = Date.now() + answerMs;
  for (;;) {
    const now = await readHold(handle);
    if (now === null || now === 'running' || now.state === 'pausing') return true;
    const since = before === null || before === 'running' ? 0 : before.since;
    if (now.since !== since) throw new LensmithError('config', `${run} is still paused: ${now.note}`, { where: 'RUN' });
    if (Date.now() > deadline) return false;
    await delay(pollMs);
  }
};
