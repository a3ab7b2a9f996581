import { CancelledFailure, Context } from '@temporalio/activity';
import type { Attempt } from './attempts.ts';
import { letSave } from './let-save.ts';
import type { ProgramRun } from './program-run.ts';

type Owner = Pick<ProgramRun, 'launcher' | 'run'>;

/**
 * On a cancel that somebody asked for, the program is stopped; where the run is being paused, it may save before. In
 * every other case (this worker shuts down, or a newer attempt of the activity owns the program) it is left alone, to be
 * found again.
 */
export const onCancelled = async ({ launcher, run }: Owner, attempt: Attempt): Promise<never> => {
  if (Context.current().cancellationDetails?.cancelRequested) {
    await letSave(launcher, run, attempt);
    await launcher.stop(attempt);
  }
  throw new CancelledFailure('the stage was cancelled');
};

/** Waits for something that a cancellation may end. */
export const unlessCancelled = <T>(owner: Owner, attempt: Attempt, wait: Promise<T>): Promise<T> =>
  wait.catch((error: unknown) => {
    if (error instanceof CancelledFailure) return onCancelled(owner, attempt);
    throw error;
  });
