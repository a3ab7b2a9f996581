import { CancelledFailure, Context } from '@temporalio/activity';
import type { Attempt } from './attempts.ts';
import type { ProgramLauncher } from './program-launcher.ts';

/**
 * On a cancel that somebody asked for, the program is stopped. In every other case (this worker shuts down, or a newer
 * attempt of the activity owns the program) it is left alone, to be found again.
 */
export const onCancelled = async (launcher: ProgramLauncher, attempt: Attempt): Promise<never> => {
  if (Context.current().cancellationDetails?.cancelRequested) await launcher.stop(attempt);
  throw new CancelledFailure('the stage was cancelled');
};

/** Waits for something that a cancellation may end. */
export const unlessCancelled = <T>(launcher: ProgramLauncher, attempt: Attempt, wait: Promise<T>): Promise<T> =>
  wait.catch((error: unknown) => {
    if (error instanceof CancelledFailure) return onCancelled(launcher, attempt);
    throw error;
  });
