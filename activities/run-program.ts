import { Context, sleep } from '@temporalio/activity';
import type { Progress } from '../domain/progress.ts';
import { countMemoryKills } from '../processes/memory-kills.ts';
import { attachOrStart } from './attach-or-start.ts';
import type { Attempt } from './attempts.ts';
import { classifyAttempt, lastProgress, outcomeOf, recordFailure } from './failure-record.ts';
import { onCancelled, unlessCancelled } from './leave-program.ts';
import { createPatience, type Patience } from './patience.ts';
import type { EndedState, ProgramEnd } from './program-launcher.ts';
import type { ProgramRun } from './program-run.ts';
import { createPulse } from './pulse.ts';
import { collectDiagnostics } from './stall-diagnostics.ts';

const pollMs = 500;
const beatMs = 2000;

const noEnd: ProgramEnd = { exitCode: null, signal: null };
const endOf = (state: EndedState): ProgramEnd => (state.state === 'ended' ? state.end : noEnd);
const detailOf = (state: EndedState): string =>
  state.state === 'ended' ? state.detail : 'nothing is known of its process';

const finish = async (
  program: ProgramRun,
  attempt: Attempt,
  state: EndedState,
  kernelKilled: boolean,
): Promise<Record<string, unknown>> => {
  const outcome = await outcomeOf(attempt);
  if (outcome?.status === 'succeeded') return outcome.details;
  const message = outcome?.failure.message ?? `the program ended without an outcome (${detailOf(state)})`;
  throw await recordFailure(
    attempt,
    await classifyAttempt(attempt, endOf(state), kernelKilled),
    message,
    program.shrink,
  );
};

const assertNotStalled = async (program: ProgramRun, attempt: Attempt, progressAt: number): Promise<void> => {
  const idleSeconds = (Date.now() - progressAt) / 1000;
  if (idleSeconds < program.stallSeconds) return;
  const folder = await collectDiagnostics(program.python, program.launcher, attempt);
  await program.launcher.stop(attempt);
  const evidence = `no progress for ${Math.round(idleSeconds)} s`;
  throw await recordFailure(
    attempt,
    { type: 'stall', evidence },
    `${evidence}, more than limits.stallSeconds = ${program.stallSeconds}; what it was doing is in ${folder}`,
  );
};

const assertWithinBudget = async (
  program: ProgramRun,
  attempt: Attempt,
  progress: Progress | undefined,
): Promise<void> => {
  const reason = await program.meter?.look(attempt, progress);
  if (reason === undefined) return;
  await program.launcher.stop(attempt);
  throw await recordFailure(attempt, { type: 'budget', evidence: 'limits.gpuHours' }, reason);
};

/** Tells the meter that an attempt is over, where it is known to be: one that is left to the next worker is not. */
const endMeter = async ({ meter, launcher }: ProgramRun, attempt: Attempt): Promise<void> => {
  if (!meter) return;
  const state = await launcher.inspect(attempt).catch(() => undefined);
  if (state?.state === 'ended' || state?.state === 'absent') await meter.end(attempt);
};

const follow = async (
  program: ProgramRun,
  attempt: Attempt,
  patience: Patience,
  report: (progress: Progress) => void,
): Promise<Record<string, unknown>> => {
  const followedSince = Date.now();
  const memoryKills = countMemoryKills();
  for (;;) {
    const state = await patience.inspect(attempt);
    const progress = await lastProgress(attempt);
    report(progress ?? { phase: 'launching', step: 0, total: 0, at: followedSince, figures: {} });
    if (state.state === 'ended' || state.state === 'absent')
      return finish(program, attempt, state, (countMemoryKills() ?? 0) > (memoryKills ?? Number.POSITIVE_INFINITY));
    if (Context.current().cancellationSignal.aborted) await onCancelled(program, attempt);
    await assertWithinBudget(program, attempt, progress);
    await assertNotStalled(program, attempt, Math.max(progress?.at ?? 0, followedSince));
    await unlessCancelled(program, attempt, sleep(pollMs));
  }
};

/**
 * Launches a stage's program, or reattaches to the one that runs, and follows it to its end. Whoever keeps the program
 * may be silent for a while: a program that is not known to have ended is never started a second time.
 *
 * Returns the details of its outcome and the attempt that led to it.
 * @throws LensmithError of the class that the program reported, or that its ending tells; `stall` where it made no
 * progress; `ray_head` where nobody could tell what it does.
 */
export const runProgram = async (
  program: ProgramRun,
): Promise<{ details: Record<string, unknown>; attempt: Attempt }> => {
  const pulse = createPulse(program.run, program.stage);
  let beat = (): void => Context.current().heartbeat({ stage: program.stage, phase: 'launching' });
  // A question to Ray or a stop may take longer than the server waits for a sign of life.
  const timer = setInterval(() => beat(), beatMs);
  try {
    const patience = createPatience(program.launcher, program.patienceSeconds);
    const attempt = await attachOrStart(program, patience);
    const report = (progress: Progress): void => {
      beat = () => pulse(progress, attempt.number);
      beat();
    };
    try {
      return { details: await follow(program, attempt, patience, report), attempt };
    } finally {
      await endMeter(program, attempt);
    }
  } finally {
    clearInterval(timer);
  }
};
