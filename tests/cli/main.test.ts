import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { lensmithHome } from '../../activities/host.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import type { RunSpecInput } from '../../domain/run-spec.ts';
import { publishArtifact } from '../../processes/artifact.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** The command line in a home of its own, where no stack runs and no Temporal answers. */
const lensmith = async (home: string, ...args: string[]) =>
  execa(process.execPath, [main, ...args], {
    reject: false,
    timeout: 60_000,
    env: { LENSMITH_HOME: home, TEMPORAL_ADDRESS: '127.0.0.1:1' },
  });

test('a fault of the input is one line that begins with its class, and the exit code is 2', async () => {
  const home = await temporaryFolder();
  const { exitCode, stderr, stdout } = await lensmith(home, 'train', join(home, 'missing.yaml'));
  expect(exitCode).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^lensmith: config: \S+\/missing\.yaml: expected a readable run spec: [^\n]*$/);
});

test('a Temporal that does not answer is told with its address and the way out, and the exit code is 1', async () => {
  const home = await temporaryFolder();
  const { exitCode, stderr } = await lensmith(home, 'cancel', 'digits-1');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^lensmith: infrastructure: 127\.0\.0\.1:1: no Temporal server answers .*lensmith up/);
});

test('a run that was never begun cannot be resumed', async () => {
  const home = await temporaryFolder();
  const { exitCode, stderr } = await lensmith(home, 'resume', 'digits-1');
  expect(exitCode).toBe(2);
  expect(stderr).toContain(join(home, 'runs', 'digits-1', 'run.json'));
});

test('a dry run prints the plan of every stage, leaves the resolved spec and starts nothing', async () => {
  const home = await temporaryFolder();
  const file = join(home, 'spec.yaml');
  await writeFile(file, stringify(miniatureSpec()));
  const changes = ['--set', 'run=digits-1', '--set', 'seed=3'];
  const { exitCode, stdout, stderr } = await lensmith(home, 'train', '--dry-run', ...changes, file);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('plan of digits-1');
  for (const stage of ['prepare-data', 'base-model', 'sft', 'rl', 'benchmark-suite', 'promote', 'report'])
    expect(stdout).toContain(`${stage}: `);
  const plan = join(home, 'plans', 'digits-1.json');
  expect(stdout).toContain(`lensmith train ${plan}`);
  expect(JSON.parse(await readFile(plan, 'utf8'))).toEqual(parseRunSpec(miniatureSpec({ run: 'digits-1', seed: 3 })));
  await expect(readFile(join(home, 'runs', 'digits-1', 'run.json'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a dry run names the step from which a stage would go on', async () => {
  const home = await temporaryFolder();
  const checkpoint = join(home, 'runs', 'digits-1', 'sft', 'checkpoint-2');
  await mkdir(checkpoint, { recursive: true });
  await writeFile(join(checkpoint, 'state.bin'), 'state');
  await publishArtifact(checkpoint, 'checkpoint', {});
  const file = join(home, 'spec.yaml');
  await writeFile(file, stringify(miniatureSpec({ run: 'digits-1' })));
  const { stdout } = await lensmith(home, 'train', file, '--dry-run');
  expect(stdout).toMatch(/^sft: resume@2 /m);
});

test.each<[string, Partial<RunSpecInput>, string]>([
  ['digits', { data: { kind: 'mnist', directory: '/nowhere' } }, 'data.directory: /nowhere/'],
  [
    'Parquet files',
    { data: { kind: 'parquet', sft: '/tmp', rl: '/tmp', validation: '/tmp', test: '/tmp' } },
    '/tmp cannot be read: EISDIR',
  ],
  [
    'a model',
    { baseModel: { kind: 'pretrained', path: '/nowhere' } },
    'baseModel.path: /nowhere cannot be read: ENOENT',
  ],
])('a dry run names the key of %s that cannot be read', async (_name, changes, expected) => {
  const home = await temporaryFolder();
  const file = join(home, 'spec.yaml');
  await writeFile(file, stringify(miniatureSpec(changes)));
  const { exitCode, stderr } = await lensmith(home, 'train', file, '--dry-run');
  expect(stderr).toMatch(/^lensmith: config: [^\n]*$/);
  expect(stderr).toContain(expected);
  expect(exitCode).toBe(2);
});

test.each(['up', 'checkpoints'])('%s in a home that cannot be written says so in one line', async (command) => {
  const home = join(await temporaryFolder(), 'file');
  await writeFile(home, '');
  const { exitCode, stderr } = await lensmith(home, command);
  expect(stderr).toMatch(/^lensmith: infrastructure: ENOTDIR: [^\n]*$/);
  expect(stderr).toContain(home);
  expect(exitCode).toBe(1);
});

test('an empty LENSMITH_HOME is none: the home is not the folder that one is in', () => {
  expect(lensmithHome({ LENSMITH_HOME: '' })).toBe(lensmithHome({}));
});
