import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { cleanCheckpoints } from '../../activities/clean-checkpoints.ts';
import { type Host, hostFromEnvironment, runsFolder } from '../../activities/host.ts';
import { listRunCheckpoints } from '../../activities/list-run-checkpoints.ts';
import { readRunFile } from '../../activities/read-run.ts';
import { type CheckpointEntry, isWaste } from '../../domain/checkpoint-state.ts';
import { LensmithError } from '../../domain/errors.ts';
import { checkpointsTable, sizeText } from '../checkpoints-table.ts';
import { stackEnvironment, withClient } from '../connect.ts';
import { write } from '../write.ts';
import { isLive } from './reap.ts';

interface Options {
  readonly verify?: boolean;
  readonly clean?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const runNames = async (host: Host, run: string | undefined): Promise<string[]> => {
  if (run === undefined) return (await readdir(runsFolder(host))).sort();
  const dir = join(runsFolder(host), run);
  if (!(await stat(dir).catch(() => undefined))?.isDirectory())
    throw new LensmithError('config', `expected a run with the folder ${dir}`, { where: 'RUN' });
  return [run];
};

/** What is under way may write and read its checkpoints at any moment, and only Temporal knows what is. */
const assertOver = async (host: Host, runs: readonly string[]): Promise<void> => {
  await withClient(async (client) => {
    for (const run of runs) {
      const file = await readRunFile({ dir: join(runsFolder(host), run) }).catch(() => undefined);
      if (file && (await isLive(client, file.workflowId)))
        throw new LensmithError('config', `the run "${run}" is under way; clean up when it is over`, { where: 'RUN' });
    }
  });
};

const agreed = async (question: string): Promise<boolean> => {
  if (!process.stdin.isTTY)
    throw new LensmithError('config', 'expected --yes where nobody can be asked', { where: '--clean' });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
};

/** Deletes what nobody can go on from, after a question; returns what was deleted. */
const clean = async (host: Host, entries: readonly CheckpointEntry[], yes: boolean): Promise<CheckpointEntry[]> => {
  const waste = entries.filter(isWaste);
  if (waste.length === 0) return [];
  await assertOver(host, [...new Set(waste.map(({ run }) => run))]);
  const size = sizeText(waste.reduce((sum, { bytes }) => sum + bytes, 0));
  for (const { path, state, reason } of waste) process.stderr.write(`${state}  ${path}: ${reason}\n`);
  if (!yes && !(await agreed(`delete these ${waste.length} folders, ${size}?`))) return [];
  return cleanCheckpoints(waste);
};

const checkpoints = async (run: string | undefined, options: Options): Promise<void> => {
  const host = await hostFromEnvironment(await stackEnvironment());
  const entries: CheckpointEntry[] = [];
  for (const name of await runNames(host, run)) {
    const found = { run: name, dir: join(runsFolder(host), name) };
    entries.push(...(await listRunCheckpoints(host, found, { verify: options.verify === true })));
  }
  if (!options.json) write(checkpointsTable(entries));
  const deleted = options.clean ? await clean(host, entries, options.yes === true) : [];
  if (options.json) write(JSON.stringify({ checkpoints: entries, deleted: deleted.map(({ path }) => path) }, null, 2));
  else if (options.clean)
    write(deleted.length === 0 ? 'nothing was deleted' : `${deleted.length} folders were deleted`);
};

/** Adds the command that shows the checkpoints of runs and deletes what is not whole. */
export const addCheckpointsCommand = (program: Command): void => {
  program
    .command('checkpoints [run]')
    .description('list the checkpoints of a run, or of all: which are whole, the best, promoted, torn or left behind')
    .option('--verify', 'compare every byte with the manifests')
    .option('--clean', 'delete what is torn or was left behind by a crash, after a question')
    .option('--yes', 'do not ask')
    .option('--json', 'as JSON')
    .action(checkpoints);
};
