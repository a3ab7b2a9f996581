import type { Command } from 'commander';
import { withClient } from '../connect.ts';
import { listRuns } from '../list-runs.ts';
import { runsTable } from '../runs-table.ts';
import { wholeNumber } from '../whole-number.ts';
import { write } from '../write.ts';

const runs = (options: { limit: number; active?: boolean; json?: boolean }): Promise<void> =>
  withClient(async (client) => {
    const found = await listRuns(client, { limit: options.limit, active: options.active ?? false });
    write(options.json ? JSON.stringify(found, null, 2) : runsTable(found, Date.now()));
  });

/** Adds the command that lists runs. */
export const addRunsCommand = (program: Command): void => {
  program
    .command('runs')
    .description('list training runs and nightly evaluations, newest first, with their state and how they ended')
    .option('--active', 'only those that have not ended; a paused run has not')
    .option('--limit <number>', 'how many', wholeNumber(1, 1000), 20)
    .option('--json', 'as JSON')
    .action(runs);
};
