import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { hostFromEnvironment, runsFolder } from '../../activities/host.ts';
import { LensmithError } from '../../domain/errors.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import { runIdAt } from '../../domain/run-id.ts';
import { actionsTable } from '../actions-table.ts';
import { confirm } from '../confirm.ts';
import { stackEnvironment } from '../connect.ts';
import { readKnownRun } from '../known-run.ts';
import { type ChangeOptions, planChanges, readChanges } from '../run-changes.ts';
import { setOption } from '../set-option.ts';
import { startRun } from '../start-run.ts';
import { announceRun } from '../watch-run.ts';
import { write } from '../write.ts';

const clone = async (source: string, options: ChangeOptions & { name?: string }): Promise<void> => {
  const host = await hostFromEnvironment(await stackEnvironment());
  const known = await readKnownRun(host, source);
  const changes = readChanges(known, options);
  const run = options.name ?? runIdAt(changes.spec.name, new Date());
  const spec = parseRunSpec({ ...changes.spec, run, existing: 'refuse' });
  const dir = join(runsFolder(host), run);
  if ((await readdir(dir).catch(() => [])).length > 0)
    throw new LensmithError('config', `the run "${run}" has a folder already, ${dir}; choose another name`, {
      where: '--name',
    });
  write(`${run}, a clone of ${source}, would run like this:`);
  write(actionsTable(await planChanges(host, { dir }, { ...changes, spec }), process.stdout.columns));
  if (options.dryRun) return;
  if (!(await confirm(`start ${run}?`, options))) return write('nothing was started');
  const clonedFrom = {
    run: source,
    execution: known.file.execution,
    at: new Date().toISOString(),
    set: [...changes.set],
  };
  await announceRun(await startRun(spec, { from: changes.from, clonedFrom }), options);
};

/** Adds the command that makes a new run of an old one. */
export const addCloneCommand = (program: Command): void => {
  program
    .command('clone <run>')
    .description('start a new run with the spec of another one; stages with the same key come out of the cache')
    .option('--name <new>', 'id of the new run; by default the name of the family and the time')
    .option('--from <stage>', 'run this stage and all after it anew, although the cache has them')
    .addOption(setOption('rl.learningRate=0.0001'))
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show the plan, start nothing')
    .option('--follow', 'show the progress until the run ends')
    .action(clone);
};
