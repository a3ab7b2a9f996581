import { createHash } from 'node:crypto';
import { CancelledFailure, Context } from '@temporalio/activity';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import { withLock } from '../processes/with-lock.ts';
import { type Attempt, latestAttempt, nextAttempt } from './attempts.ts';
import { claimStage } from './claim-stage.ts';
import { classifyAttempt, outcomeOf, readFailure, recordFailure } from './failure-record.ts';
import { unlessCancelled } from './leave-program.ts';
import type { Patience } from './patience.ts';
import type { EndedState } from './program-launcher.ts';
import type { ProgramRun } from './program-run.ts';

const startAttempt = async (program: ProgramRun, patience: Patience, previous: Attempt | undefined) => {
  const attempt = await nextAttempt(program.run, program.stage, previous);
  const { config, command, env, resumeStep } = await program.plan(attempt);
  await writeFileAtomic(attempt.config, `${JSON.stringify(config, null, 2)}\n`);
  await writeFileAtomic(attempt.command, `${JSON.stringify({ command, env }, null, 2)}\n`);
  await program.meter?.begin(attempt, resumeStep ?? null);
  await unlessCancelled(program, attempt, patience.start(attempt, command, env));
  return attempt;
};

/** Writes down why an attempt ended that nobody followed to its end. */
const recordUnseen = async (program: ProgramRun, attempt: Attempt, state: EndedState): Promise<void> => {
  if (state.state === 'absent' || (await readFailure(attempt))) return;
  const found = await classifyAttempt(attempt, state.end, false);
  await recordFailure(attempt, found, `it ended while nobody followed it (${state.detail})`, program.shrink);
};

const decide = async (program: ProgramRun, patience: Patience): Promise<Attempt> => {
  await claimStage(program.run, program.stage);
  const latest = await latestAttempt(program.run, program.stage);
  if (!latest) {
    await program.meter?.assertWithinBudget();
    return startAttempt(program, patience, undefined);
  }
  const state = await unlessCancelled(program, latest, patience.inspectUntilKnown(latest));
  if (state.state === 'running') return latest;
  const outcome = await outcomeOf(latest).catch(() => undefined);
  if (outcome?.status === 'succeeded') {
    if (!program.isWhole || (await program.isWhole())) return latest;
  } else await recordUnseen(program, latest, state);
  await program.launcher.stop(latest);
  await program.meter?.end(latest);
  await program.meter?.assertWithinBudget();
  // An execution that a newer one has replaced may find this out only now.
  if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('the stage was cancelled');
  return startAttempt(program, patience, latest);
};

/** One execution of the activity at a time decides: two that overlap would both find an end, and both begin anew. */
const lockOf = ({ run, stage }: ProgramRun): string =>
  `launch-${createHash('sha256').update(`${run.dir} ${stage}`).digest('hex').slice(0, 32)}`;

/**
 * The attempt to follow: the one that runs, the one that ended well unnoticed, or a new one, which is only started when
 * the last is known to have ended and nothing of it lives.
 *
 * @throws LensmithError `infrastructure` where the stage belongs to a newer lease.
 * @throws LensmithError `ray_head` where nobody could tell what the last attempt does.
 */
export const attachOrStart = (program: ProgramRun, patience: Patience): Promise<Attempt> =>
  withLock(lockOf(program), () => decide(program, patience));
