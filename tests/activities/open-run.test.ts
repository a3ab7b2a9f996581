import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Host, runsFolder } from '../../activities/host.ts';
import { openRun } from '../../activities/open-run.ts';
import { readSpec } from '../../activities/read-run.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import type { RunSpecInput } from '../../domain/run-spec.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { testHost } from './test-host.ts';

const open = (host: Host, changes: Partial<RunSpecInput> = {}, execution = 'first') =>
  openRun(host)({ spec: parseRunSpec(miniatureSpec(changes)), run: 'night', workflowId: 'train/night', execution });

const parquet = (dir: string, changes: Record<string, string> = {}): RunSpecInput['data'] => ({
  kind: 'parquet',
  sft: join(dir, 'sft.parquet'),
  rl: join(dir, 'rl.parquet'),
  validation: join(dir, 'validation.parquet'),
  test: join(dir, 'test.parquet'),
  ...changes,
});

const folderOfFiles = async (): Promise<string> => {
  const dir = await temporaryFolder();
  for (const split of ['sft', 'rl', 'validation', 'test']) await writeFile(join(dir, `${split}.parquet`), '');
  return dir;
};

test('makes the folder of a run with the resolved spec in it', async () => {
  const host = await testHost();
  const run = await open(host);
  expect(run).toEqual({ run: 'night', dir: join(runsFolder(host), 'night'), workflowId: 'train/night' });
  expect(await readSpec(run)).toEqual(parseRunSpec(miniatureSpec()));
});

test('says which file of the spec is missing before it makes anything', async () => {
  const host = await testHost();
  const dir = await folderOfFiles();
  await rm(join(dir, 'validation.parquet'));
  await expect(open(host, { data: parquet(dir) })).rejects.toMatchObject({
    type: 'config',
    where: 'data.validation',
    message: expect.stringContaining(join(dir, 'validation.parquet')),
  });
  await expect(readFile(join(runsFolder(host), 'night', 'run.json'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each<[string, (dir: string) => Partial<RunSpecInput>]>([
  ['data.rl', (dir) => ({ data: parquet(dir, { rl: 'rl.parquet' }) })],
  ['data.directory', () => ({ data: { kind: 'mnist', directory: 'digits' } })],
  ['baseModel.path', () => ({ baseModel: { kind: 'pretrained', path: 'models/base' } })],
  ['protocol', () => ({ protocol: './mine.yaml' })],
  ['judge.model', () => ({ judge: { engine: 'builtin', model: 'judge.gguf' } })],
])('refuses a relative path in %s', async (where, changes) => {
  const host = await testHost();
  await expect(open(host, changes(await folderOfFiles()))).rejects.toMatchObject({
    type: 'config',
    where,
    message: expect.stringContaining('absolute path'),
  });
});

test('says how to get a Python interpreter where there is none', async () => {
  const host = await testHost({ python: '/nowhere/bin/python' });
  await expect(open(host)).rejects.toMatchObject({
    type: 'config',
    where: 'host',
    message: expect.stringMatching(/\/nowhere\/bin\/python.*scripts\/bootstrap.*LENSMITH_PYTHON/),
  });
});

test('refuses a protocol that does not exist', async () => {
  await expect(open(await testHost(), { protocol: 'nothing' })).rejects.toMatchObject({ type: 'config' });
});

test('another run finds the folder taken and is told three ways out', async () => {
  const host = await testHost();
  await open(host);
  const refused = open(host, {}, 'second');
  await expect(refused).rejects.toMatchObject({ type: 'config', where: 'run' });
  await expect(refused).rejects.toThrow(/another name.*lensmith resume night.*remove the folder/);
});

test('the same execution finds its own folder again', async () => {
  const host = await testHost();
  const first = await open(host);
  expect(await open(host)).toEqual(first);
});

test('an attempt that was cut off before its first file is taken up again', async () => {
  const host = await testHost();
  const dir = join(runsFolder(host), 'night');
  await mkdir(dir);
  await writeFile(join(dir, '.run.json.17.0a1b2c3d.tmp'), '{"version":');
  expect((await open(host)).dir).toBe(dir);
});

test('a folder that holds something else is left alone', async () => {
  const host = await testHost();
  const dir = join(runsFolder(host), 'night');
  await mkdir(dir);
  await writeFile(join(dir, 'notes.txt'), 'mine');
  await expect(open(host, { existing: 'resume' })).rejects.toMatchObject({ type: 'config', where: 'run' });
});

test('a resumed run keeps the time at which it was made and takes the new execution', async () => {
  const host = await testHost();
  const { dir } = await open(host);
  const before = JSON.parse(await readFile(join(dir, 'run.json'), 'utf8')) as Record<string, unknown>;
  await open(host, { existing: 'resume' }, 'second');
  const after = JSON.parse(await readFile(join(dir, 'run.json'), 'utf8')) as Record<string, unknown>;
  expect(after).toMatchObject({ execution: 'second', createdAt: before.createdAt });
});
