import type { Command } from 'commander';
import { lensmithHome } from '../../activities/host.ts';
import { stackDown } from '../../infra/local/stack-down.ts';
import { stackStatus } from '../../infra/local/stack-status.ts';
import { stackUp } from '../../infra/local/stack-up.ts';
import { withClient } from '../connect.ts';
import { findRuns } from '../list-runs.ts';
import { write } from '../write.ts';

const writeActive = (): Promise<void> =>
  withClient(async (client) => {
    let any = false;
    for await (const { workflowId, startTime } of findRuns(client, { active: true })) {
      if (!any) write('runs under way:');
      any = true;
      write(`  ${workflowId}  since ${startTime.toISOString()}`);
    }
    if (!any) write('no run is under way');
  });

/** Adds the commands of the local stack. */
export const addStackCommands = (program: Command): void => {
  program
    .command('up')
    .description('start the local stack, or find it running: Temporal, Ray, the workers, the tool server')
    .action(async () => {
      await stackUp({ home: lensmithHome(), write });
    });
  program
    .command('down')
    .description('stop the local stack and everything that its runs started')
    .action(async () => {
      await stackDown({ home: lensmithHome(), write });
    });
  program
    .command('status')
    .description('list what Lensmith runs on this machine')
    .action(async () => {
      const up = await stackStatus({ home: lensmithHome(), write });
      if (up) await writeActive();
    });
};
