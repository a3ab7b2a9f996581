import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Command } from 'commander';
import { findRemains, type RunRemains } from '../../activities/find-remains.ts';
import { hostFromEnvironment } from '../../activities/host.ts';
import { reapRun } from '../../activities/reap-run.ts';
import { LensmithError } from '../../domain/errors.ts';
import { stackEnvironment, withClient } from '../connect.ts';
import { isUnderWay } from '../run-client.ts';
import { write } from '../write.ts';

/** Whether Temporal has the workflow of a run under way, in whichever execution. */
export const isLive = async (client: Client, workflowId: string): Promise<boolean> => {
  try {
    return isUnderWay(await client.workflow.getHandle(workflowId).describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
};

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

const describe = ({ run, processes, jobs }: RunRemains): string[] => [
  `${run}: ${count(processes.length, 'process', 'processes')}, ${count(jobs.length, 'job of Ray', 'jobs of Ray')}`,
  ...processes.map(({ pid, command }) => `  ${pid}  ${command.slice(0, 100)}`),
  ...jobs.map((job) => `  job ${job}`),
];

const reap = async (names: readonly string[], { dryRun }: { dryRun?: boolean }): Promise<void> => {
  const host = await hostFromEnvironment(await stackEnvironment());
  const { runs, rayProblem } = await findRemains(host);
  if (rayProblem) write(`jobs of Ray are not looked at: ${rayProblem}`);
  const chosen = runs.filter(({ run }) => names.length === 0 || names.includes(run));
  // Without Temporal nobody knows which run is under way, and a guess could cost a training.
  await withClient(async (client) => {
    let found = 0;
    for (const remains of chosen) {
      if (await isLive(client, remains.file.workflowId)) {
        if (!names.includes(remains.run)) continue;
        throw new LensmithError(
          'config',
          `the run "${remains.run}" is under way; "lensmith cancel ${remains.run}" ends it`,
          { where: 'RUN' },
        );
      }
      if (remains.otherHome !== null) {
        write(`${remains.run}: left alone, a run of the same id lives in ${remains.otherHome}`);
        continue;
      }
      found += 1;
      for (const line of describe(remains)) write(line);
      if (dryRun) continue;
      const { terminated, killed } = await reapRun(host, remains);
      const total = terminated.length + killed.length;
      write(`  stopped: ${count(total, 'process', 'processes')} (${killed.length} had to be killed); none lives`);
    }
    if (found === 0) write('nothing is left of a run that is over');
    else if (dryRun) write('nothing was stopped; without --dry-run they are');
  });
};

/** Adds the command that stops what ended runs have left on this host. */
export const addReapCommand = (program: Command): void => {
  program
    .command('reap [run...]')
    .description('stop what still runs on this host for runs that are not under way')
    .option('--dry-run', 'list it, stop nothing')
    .action(reap);
};
