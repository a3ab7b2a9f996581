import { join } from 'node:path';
import type { Command } from 'commander';
import { readUsage } from '../../activities/gpu-hours-read.ts';
import { hostFromEnvironment, runsFolder } from '../../activities/host.ts';
import { readRunFile, runFilePath } from '../../activities/read-run.ts';
import { LensmithError } from '../../domain/errors.ts';
import { stackEnvironment } from '../connect.ts';
import { hoursTable } from '../hours-table.ts';

const hours = async (run: string, options: { json?: boolean }): Promise<void> => {
  const host = await hostFromEnvironment(await stackEnvironment());
  const dir = join(runsFolder(host), run);
  await readRunFile({ dir }).catch((cause: unknown) => {
    throw new LensmithError('config', `expected a run with the file ${runFilePath(dir)}`, { where: 'RUN', cause });
  });
  const ledger = await readUsage({ dir });
  process.stdout.write(`${options.json ? JSON.stringify(ledger, null, 2) : hoursTable(ledger)}\n`);
};

/** Adds the command that shows what a run has used. */
export const addHoursCommand = (program: Command): void => {
  program
    .command('hours <run>')
    .description('show the GPU hours of a run: productive, starting, stalled, wasted and idle, by stage and attempt')
    .option('--json', 'as JSON')
    .action(hours);
};
