import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { RunRef } from '../domain/stage.ts';
import { signalProcess } from '../processes/signal-process.ts';
import type { Attempt } from './attempts.ts';
import { lastProgress } from './failure-record.ts';
import { isPausing } from './pause-mark.ts';
import type { ProgramLauncher } from './program-launcher.ts';
import { readSpec } from './read-run.ts';

const pollMs = 250;

/** The program itself, and not the shells and servers around it: a signal to those would cost it its step. */
const askToStop = async (launcher: ProgramLauncher, attempt: Attempt): Promise<boolean> => {
  const all = await launcher.processes(attempt);
  const own = all.filter(({ command }) => command.includes(`--config ${attempt.config}`) && !/^\S*sh /.test(command));
  for (const info of own) signalProcess(info, 'SIGTERM');
  return own.length > 0;
};

const hasEnded = async (launcher: ProgramLauncher, attempt: Attempt): Promise<boolean> => {
  const { state } = await launcher.inspect(attempt);
  return state === 'ended' || state === 'absent';
};

/**
 * Where the run is being paused, tells a program to save at its next boundary and waits until it has ended by itself:
 * at most `limits.pauseSeconds`, and no longer than the pause is wanted. Whoever calls stops what is left.
 *
 * A trainer takes the first SIGTERM for a wish to end: it finishes its step, writes a checkpoint and ends as `cancelled`.
 */
export const letSave = async (launcher: ProgramLauncher, run: RunRef, attempt: Attempt): Promise<void> => {
  if (!(await isPausing(run))) return;
  const deadline = Date.now() + 1000 * (await readSpec(run)).limits.pauseSeconds;
  const { log } = Context.current();
  const before = await lastProgress(attempt);
  if (!(await askToStop(launcher, attempt))) {
    if (!(await hasEnded(launcher, attempt)))
      log.warn(`${attempt.dir}: the program runs on another host, so that nobody can ask it to save`);
    return;
  }
  log.info(`${attempt.dir}: saves at the next boundary after step ${before?.step ?? 0}`);
  while (!(await hasEnded(launcher, attempt))) {
    if (Date.now() > deadline || !(await isPausing(run))) return;
    await delay(pollMs);
  }
};
