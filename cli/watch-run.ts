import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import type { NightlyResult } from '../activities/close-nightly.ts';
import { LensmithError } from '../domain/errors.ts';
import type { TrainResult } from '../domain/stage.ts';
import { summarySchema } from '../domain/summary.ts';
import { withClient } from './connect.ts';
import { followRun } from './follow.ts';
import { resultTable } from './result-table.ts';
import { findRun } from './run-client.ts';
import { runFailure } from './run-failure.ts';
import { write } from './write.ts';

const showResult = async (result: TrainResult): Promise<void> => {
  const summary = summarySchema.parse(JSON.parse(await readFile(result.summary, 'utf8')));
  write('');
  write(resultTable(summary));
  write('base / sft / rl in the columns with slashes; intervals are Wilson 95 %.');
  write(summary.judge.note);
  write('');
  write(`decision     ${result.decision}: ${summary.promoted?.why ?? ''}`);
  write(`report       ${result.report}`);
  write(`summary      ${result.summary}`);
  write(`checkpoints  ${summary.promoted?.path ?? join(result.dir, 'checkpoints')}`);
  write(`run folder   ${result.dir}`);
  write('');
  write('next:');
  write('  lensmith status                          what runs on this machine');
  write(`  lensmith nightly enable ${summary.name.padEnd(16)} evaluate the promoted checkpoint every night`);
  write('  lensmith down                            stop the local stack');
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const showNight = ({ checkpoint, accuracy, low, high, reference, regression, evaluation }: NightlyResult): void => {
  write(
    `accuracy     ${percent(accuracy)} [${percent(low)}, ${percent(high)}], at its promotion ${percent(reference)}`,
  );
  write(`decision     ${regression ? 'it does worse than at its promotion' : 'it does as at its promotion'}`);
  write(`checkpoint   ${checkpoint}`);
  write(`evaluation   ${evaluation}`);
};

/** Follows a run to its end; Ctrl-C leaves the view, not the run. */
export const watchRun = (run: string): Promise<void> =>
  withClient(async (client) => {
    const leave = new AbortController();
    let wayOn = `\ngo on from what is done: lensmith resume ${run}`;
    const onInterrupt = (): void => leave.abort();
    process.once('SIGINT', onInterrupt);
    process.once('SIGTERM', onInterrupt);
    try {
      const { handle, kind } = await findRun(client, run);
      if (kind === 'nightly') wayOn = '';
      await followRun(client, handle.workflowId, write, leave.signal);
      if (leave.signal.aborted) {
        write('');
        write(`left the view; ${run} goes on. See it again: lensmith watch ${run}; end it: lensmith cancel ${run};`);
        write('stop the stack, and with it the run where it is: lensmith down');
        process.exitCode = 130;
        return;
      }
      const result: unknown = await handle.result();
      if (kind === 'nightly') showNight(result as NightlyResult);
      else await showResult(result as TrainResult);
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      const { type, message } = runFailure(error);
      throw new LensmithError(type, `${message}${type === 'config' ? '' : wayOn}`, {
        where: `run ${run}`,
        cause: error,
      });
    } finally {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onInterrupt);
    }
  });

/** Says what became of a run that was just started, and follows it where that is wanted. */
export const announceRun = async (run: string, { follow = false }: { follow?: boolean | undefined }): Promise<void> => {
  write(`run ${run} is under way; it goes on whatever happens to this terminal`);
  write(`watch it:  lensmith watch ${run}`);
  write(`pause it:  lensmith pause ${run}`);
  write(`cancel it: lensmith cancel ${run}`);
  if (follow) await watchRun(run);
};
