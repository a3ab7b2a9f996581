import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import type { Command } from 'commander';
import { hostFromEnvironment, runsFolder } from '../../activities/host.ts';
import { planStages } from '../../activities/plan-run.ts';
import { LensmithError } from '../../domain/errors.ts';
import { runIdAt } from '../../domain/run-id.ts';
import type { RunSpec } from '../../domain/run-spec.ts';
import { writeFileAtomic } from '../../processes/atomic-file.ts';
import { stackEnvironment, withClient } from '../connect.ts';
import { planTable } from '../plan-table.ts';
import { readSpecFile } from '../read-spec-file.ts';
import { canBeAsked, findRun } from '../run-client.ts';
import { setOption } from '../set-option.ts';
import { startRun } from '../start-run.ts';
import { announceRun, watchRun } from '../watch-run.ts';
import { write } from '../write.ts';
import { addResumeCommand } from './resume.ts';

const dryRun = async (spec: RunSpec): Promise<void> => {
  const host = await hostFromEnvironment(await stackEnvironment());
  const run = spec.run ?? runIdAt(spec.name, new Date());
  const dir = join(runsFolder(host), run);
  write(planTable(run, await planStages(host, { dir }, spec)));
  const folder = join(host.home, 'plans');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${run}.json`);
  await writeFileAtomic(file, `${JSON.stringify({ ...spec, run }, null, 2)}\n`);
  write(`resolved spec: ${file}`);
  write(`start it:      lensmith train ${file}`);
};

const cancel = (run: string): Promise<void> =>
  withClient(async (client) => {
    const { handle, kind } = await findRun(client, run);
    if (!(await canBeAsked(handle)))
      throw new LensmithError('config', `"${run}" is over; there is nothing to cancel`, { where: 'RUN' });
    await handle.cancel();
    await handle.result().catch((error: unknown) => {
      if (!(error instanceof WorkflowFailedError)) throw error;
    });
    const { status } = await handle.describe();
    if (status.name !== 'CANCELLED')
      return write(`${run} had ended before it could be cancelled; lensmith watch ${run} shows how`);
    const wayOn = kind === 'train' ? ` and its checkpoints stay. Go on with it: lensmith resume ${run}` : ' stays';
    write(`${run} is cancelled; its folder${wayOn}`);
  });

/** Adds the commands that begin, follow and end runs. */
export const addTrainCommands = (program: Command): void => {
  program
    .command('train <spec>')
    .description('start train-pipeline with a run spec in YAML or JSON')
    .option('--dry-run', 'print what each stage would do, write the resolved spec, start nothing')
    .option('--follow', 'show the progress until the run ends')
    .addOption(setOption('rl.steps=20'))
    .action(async (file: string, options: { dryRun?: boolean; follow?: boolean; set?: string[] }) => {
      const spec = await readSpecFile(file, options.set);
      if (options.dryRun) return dryRun(spec);
      await announceRun(await startRun(spec), options);
    });

  addResumeCommand(program);

  program.command('watch <run>').description('show the progress of a run until it ends').action(watchRun);

  program
    .command('cancel <run>')
    .description('end a run, also a paused one: its programs are stopped and what it holds is given back')
    .action(cancel);
};
