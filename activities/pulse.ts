import { Context } from '@temporalio/activity';
import type { Progress } from '../domain/progress.ts';
import type { RunRef, StageName } from '../domain/stage.ts';

/** Arguments of the signal `stage-progress`. */
export interface StageProgressSignal {
  readonly stage: StageName;
  readonly attempt: number;
  readonly progress: Progress;
}

/** A signal costs events in the history: the gap grows with the stage's age, so that a week costs a few hundred. */
const gapMs = (ageMs: number): number => Math.max(5_000, ageMs / 60);

/**
 * Reports a stage's progress: as heartbeat details each time, and now and then as a signal to the run's workflow, for
 * its current details. A signal that cannot be delivered is not worth a stage: the next one says more.
 */
export const createPulse = (run: RunRef, stage: StageName): ((progress: Progress, attempt: number) => void) => {
  const startedAt = Date.now();
  let signalledAt = 0;
  let signalled = '';
  return (progress, attempt) => {
    const context = Context.current();
    context.heartbeat({ stage, attempt, ...progress });
    const now = Date.now();
    // A figure that comes or goes tells something of a step that takes long.
    const sign = [progress.step, ...Object.keys(progress.figures).toSorted()].join(' ');
    if (now - signalledAt < gapMs(now - startedAt) || sign === signalled) return;
    signalledAt = now;
    signalled = sign;
    context.client.workflow
      .getHandle(run.workflowId)
      .signal('stage-progress', { stage, attempt, progress } satisfies StageProgressSignal)
      .catch((error: unknown) => context.log.debug('progress was not delivered', { error: String(error) }));
  };
};
