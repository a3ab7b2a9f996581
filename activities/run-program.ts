import { stat } from 'node:fs/promises';
import { CancelledFailure, Context, sleep } from '@temporalio/activity';
import { LensmithError } from '../domain/errors.ts';
import { type Outcome, outcomeSchema, type Progress, progressSchema } from '../domain/progress.ts';
import type { RunRef, StageName } from '../domain/stage.ts';
import { readJson, writeFileAtomic } from '../processes/atomic-file.ts';
import { tailLines } from '../processes/tail-file.ts';
import { type Attempt, latestAttempt, nextAttempt } from './attempts.ts';
import type { ProgramLauncher } from './program-launcher.ts';
import { createPulse } from './pulse.ts';

const pollMs = 500;

export interface ProgramPlan {
  /** Written to the attempt's `config.json`. */
  readonly config: unknown;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface ProgramRun {
  readonly run: RunRef;
  readonly stage: StageName;
  readonly launcher: ProgramLauncher;
  /** Called once for each attempt that is started, not for one that is found running. */
  readonly plan: (attempt: Attempt) => Promise<ProgramPlan>;
  /** Seconds without progress after which the program is stopped as stalled. */
  readonly stallSeconds: number;
  /** Whether what the program leaves is there still; without it, a program that ended well is not run again. */
  readonly isWhole?: () => Promise<boolean>;
}

const lastProgress = (attempt: Attempt): Promise<Progress | undefined> =>
  readJson(attempt.progress, progressSchema).catch(() => undefined);

const outcomeOf = async (attempt: Attempt): Promise<Outcome | undefined> => {
  const exists = await stat(attempt.outcome).catch(() => undefined);
  return exists ? readJson(attempt.outcome, outcomeSchema) : undefined;
};

const lastLines = async (attempt: Attempt): Promise<string> => {
  const lines = await tailLines(attempt.log, 15).catch(() => []);
  return lines.length === 0 ? '' : `\nthe end of ${attempt.log}:\n${lines.join('\n')}`;
};

const startAttempt = async ({ run, stage, launcher, plan }: ProgramRun, previous: Attempt | undefined) => {
  const attempt = await nextAttempt(run, stage, previous);
  const { config, command, env } = await plan(attempt);
  await writeFileAtomic(attempt.config, `${JSON.stringify(config, null, 2)}\n`);
  await writeFileAtomic(attempt.command, `${JSON.stringify({ command, env }, null, 2)}\n`);
  await launcher.start(attempt, command, env);
  return attempt;
};

/** The attempt to follow: the one that runs, the one that ended well unnoticed, or a new one. */
const attachOrStart = async (program: ProgramRun): Promise<Attempt> => {
  const latest = await latestAttempt(program.run, program.stage);
  if (!latest) return startAttempt(program, undefined);
  const { state } = await program.launcher.inspect(latest);
  if (state === 'running') return latest;
  const outcome = await outcomeOf(latest).catch(() => undefined);
  if (outcome?.status === 'succeeded' && (!program.isWhole || (await program.isWhole()))) return latest;
  await program.launcher.stop(latest);
  return startAttempt(program, latest);
};

const finish = async (attempt: Attempt, detail: string): Promise<Record<string, unknown>> => {
  const outcome = await outcomeOf(attempt);
  if (outcome?.status === 'succeeded') return outcome.details;
  if (outcome) throw new LensmithError(outcome.failure.type, `${outcome.failure.message}${await lastLines(attempt)}`);
  throw new LensmithError(
    'infrastructure',
    `the program ended without an outcome (${detail})${await lastLines(attempt)}`,
    { where: attempt.dir },
  );
};

/**
 * On a cancel that somebody asked for, the program is stopped. In every other case (this worker shuts down, or a newer
 * attempt of the activity owns the program) it is left alone, to be found again.
 */
const onCancelled = async (launcher: ProgramLauncher, attempt: Attempt): Promise<never> => {
  if (Context.current().cancellationDetails?.cancelRequested) await launcher.stop(attempt);
  throw new CancelledFailure('the stage was cancelled');
};

const assertNotStalled = async (program: ProgramRun, attempt: Attempt, progressAt: number): Promise<void> => {
  const idleSeconds = (Date.now() - progressAt) / 1000;
  if (idleSeconds < program.stallSeconds) return;
  const lines = await lastLines(attempt);
  await program.launcher.stop(attempt);
  throw new LensmithError(
    'stall',
    `no progress for ${Math.round(idleSeconds)} s, more than limits.stallSeconds = ${program.stallSeconds}${lines}`,
    { where: attempt.dir },
  );
};

/**
 * Launches a stage's program, or reattaches to the one that runs, and follows it to its end.
 *
 * Returns the details of its outcome and the attempt that led to it.
 * @throws LensmithError of the class that the program reported; `infrastructure` where it died without a report;
 * `stall` where it made no progress.
 */
export const runProgram = async (
  program: ProgramRun,
): Promise<{ details: Record<string, unknown>; attempt: Attempt }> => {
  const attempt = await attachOrStart(program);
  const pulse = createPulse(program.run, program.stage);
  const followedSince = Date.now();
  for (;;) {
    const state = await program.launcher.inspect(attempt);
    const progress = await lastProgress(attempt);
    pulse(progress ?? { phase: 'launching', step: 0, total: 0, at: followedSince, figures: {} }, attempt.number);
    if (state.state !== 'running') {
      const detail = state.state === 'ended' ? state.detail : 'nothing is known of its process';
      return { details: await finish(attempt, detail), attempt };
    }
    if (Context.current().cancellationSignal.aborted) await onCancelled(program.launcher, attempt);
    await assertNotStalled(program, attempt, Math.max(progress?.at ?? 0, followedSince));
    await sleep(pollMs).catch(() => onCancelled(program.launcher, attempt));
  }
};
