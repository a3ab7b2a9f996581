import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { hostFromEnvironment } from '../../activities/host.ts';
import { LensmithError } from '../../domain/errors.ts';
import { actionsTable } from '../actions-table.ts';
import { confirm } from '../confirm.ts';
import { stackEnvironment, withClient } from '../connect.ts';
import { lookAtRun, type RunActivity, readKnownRun } from '../known-run.ts';
import { type ChangeOptions, planChanges, type RunChanges, readChanges } from '../run-changes.ts';
import { releaseRun } from '../run-hold.ts';
import { setOption } from '../set-option.ts';
import { startRun } from '../start-run.ts';
import { announceRun, watchRun } from '../watch-run.ts';
import { write } from '../write.ts';

const assertAtRest = (run: string, { state }: RunActivity, stage: string): void => {
  if (state === 'over' || state === 'paused') return;
  const doing = state === 'pausing' ? 'is being paused, and saves' : `is under way${stage ? `, in ${stage}` : ''}`;
  const ways =
    state === 'pausing' ? 'wait for it' : `"lensmith watch ${run}" shows it, "lensmith pause ${run}" pauses it`;
  throw new LensmithError('config', `the run "${run}" ${doing}; there is nothing to resume: ${ways}`, { where: 'RUN' });
};

const goOn = async (
  client: Client,
  run: string,
  workflowId: string,
  changes: RunChanges,
  options: ChangeOptions,
): Promise<void> => {
  // The answer may have taken long: what the run does is looked at anew.
  const now = await lookAtRun(client, workflowId);
  assertAtRest(run, now, now.state === 'over' ? '' : now.stage);
  const { spec, from, set } = changes;
  if (now.state === 'over') {
    const started = { ...spec, run, existing: 'resume' } as const;
    return announceRun(await startRun(started, from === null ? {} : { from }, workflowId), options);
  }
  const goes = await releaseRun(now.handle, run, { spec: set.length === 0 ? null : spec, from });
  const state = goes ? 'goes on' : `is told to go on, and waits for its host "${spec.host}" ("lensmith status" there)`;
  write(`${run} ${state}; watch it: lensmith watch ${run}`);
  if (options.follow) await watchRun(run);
};

const resume = async (run: string, options: ChangeOptions): Promise<void> => {
  const host = await hostFromEnvironment(await stackEnvironment());
  const known = await readKnownRun(host, run);
  const changes = readChanges(known, options);
  await withClient(async (client) => {
    const { workflowId } = known.file;
    const before = await lookAtRun(client, workflowId);
    assertAtRest(run, before, before.state === 'over' ? '' : before.stage);
    write(`${run} ${before.state === 'paused' ? 'is paused and would go on' : 'is over and would go on'} like this:`);
    write(actionsTable(await planChanges(host, known, changes), process.stdout.columns));
    if (options.dryRun) return;
    if (!(await confirm(`go on with ${run}?`, options))) return write('nothing was started');
    await goOn(client, run, workflowId, changes, options);
  });
};

/** Adds the command that goes on with a run. */
export const addResumeCommand = (program: Command): void => {
  program
    .command('resume <run>')
    .description('go on with a run that is paused, failed or was cancelled: shows the plan, asks, and starts')
    .option('--from <stage>', 'run this stage and all after it anew, although the cache has them')
    .addOption(setOption('rl.steps=20'))
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show the plan, start nothing')
    .option('--follow', 'show the progress until the run ends')
    .action(resume);
};
