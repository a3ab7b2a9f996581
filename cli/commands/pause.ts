import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { Command } from 'commander';
import { hostFromEnvironment } from '../../activities/host.ts';
import { LensmithError } from '../../domain/errors.ts';
import { stackEnvironment, withClient } from '../connect.ts';
import { readKnownRun } from '../known-run.ts';
import { canBeAsked, findRun } from '../run-client.ts';
import { holdRun, readHold } from '../run-hold.ts';
import { write } from '../write.ts';

const pollMs = 500;
/** Time beyond `limits.pauseSeconds` in which everything else of the run is stopped. */
const teardownSeconds = 600;
const defaultSeconds = 1800;

const untilPaused = async (handle: WorkflowHandle, run: string, seconds: number): Promise<void> => {
  const deadline = Date.now() + 1000 * seconds;
  for (let shown = ''; ; ) {
    const now = await readHold(handle);
    if (now === null)
      return write(`${run} was done before it could be paused; lensmith watch ${run} shows how it ended`);
    if (now !== 'running' && now.state === 'paused') {
      write(`${run} is paused and holds no process and no lease${now.note ? `; it ${now.note}` : ''}`);
      return write(`go on with it: lensmith resume ${run}; end it: lensmith cancel ${run}`);
    }
    const line = now === 'running' ? 'is asked to pause' : now.note;
    if (line !== shown) write(`${run} ${line}`);
    shown = line;
    if (Date.now() > deadline)
      throw new LensmithError('infrastructure', `${run} is not paused after ${seconds} s; it is still being paused`, {
        where: 'RUN',
      });
    await delay(pollMs);
  }
};

const pause = async (run: string, { wait }: { wait: boolean }): Promise<void> => {
  const host = await hostFromEnvironment(await stackEnvironment());
  const seconds = await readKnownRun(host, run).then(
    ({ file }) => file.spec.limits.pauseSeconds,
    () => defaultSeconds,
  );
  await withClient(async (client) => {
    const { handle, kind } = await findRun(client, run);
    if (kind === 'nightly')
      throw new LensmithError('config', `a nightly evaluation cannot be paused; "lensmith cancel ${run}" ends it`, {
        where: 'RUN',
      });
    await canBeAsked(handle);
    const state = await holdRun(handle, run);
    if (wait) return untilPaused(handle, run, seconds + teardownSeconds);
    write(`${run} is ${state}; lensmith watch ${run} shows it`);
  });
};

/** Adds the command that pauses a run. */
export const addPauseCommand = (program: Command): void => {
  program
    .command('pause <run>')
    .description('save a run at its next boundary and free what it holds, until "lensmith resume"')
    .option('--no-wait', 'return before the run has come to rest')
    .action(pause);
};
