import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findResumePoint, listCheckpoints } from '../../processes/artifact.ts';
import { deleteCheckpoint, isTomb, sweepTombs } from '../../processes/delete-checkpoint.ts';
import { makeCheckpoint } from '../activities/made-checkpoints.ts';
import { temporaryFolder } from './temporary-folder.ts';

const program = fileURLToPath(new URL('fixtures/delete-checkpoints.ts', import.meta.url));

const begin = (folder: string, names: string[]): ChildProcess =>
  spawn(process.execPath, [program, folder, ...names], { stdio: 'inherit' });

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

const many = 3000;

test('killed between the rename and the end, it leaves a tomb that the next one deletes', async () => {
  const folder = await temporaryFolder();
  await makeCheckpoint(folder, 1);
  await makeCheckpoint(folder, 2, many);
  const child = begin(folder, ['checkpoint-2']);
  // Looks without a pause: the tomb of thousands of files stands for some milliseconds.
  for (const until = Date.now() + 30_000; Date.now() < until && child.exitCode === null; ) {
    if (readdirSync(folder).some(isTomb)) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  child.kill('SIGKILL');
  await ended(child);
  expect(child.signalCode).toBe('SIGKILL');
  const left = (await readdir(folder)).filter(isTomb);
  expect(left).toHaveLength(1);
  // What goes on from here sees whole checkpoints only, and nothing to be passed over.
  expect(await findResumePoint(folder)).toMatchObject({ checkpoint: { step: 1 }, passedOver: [] });

  const again = begin(folder, ['checkpoint-2']);
  await ended(again);
  expect(again.exitCode).toBe(0);
  expect(await readdir(folder)).toEqual(['checkpoint-1']);
});

test('killed at any moment, every checkpoint is whole or gone', async () => {
  const folder = await temporaryFolder();
  const steps = [1, 2, 3, 4];
  for (const step of steps) await makeCheckpoint(folder, step, 300);
  const doomed = steps.slice(0, -1).map((step) => `checkpoint-${step}`);
  let kills = 0;
  for (let delay = 20; ; delay += 15) {
    const child = begin(folder, doomed);
    const timer = setTimeout(() => child.kill('SIGKILL'), delay);
    await ended(child);
    clearTimeout(timer);
    const names = (await readdir(folder)).filter((name) => !isTomb(name));
    expect((await listCheckpoints(folder)).map(({ path }) => path)).toEqual(names.map((name) => join(folder, name)));
    if (child.exitCode === 0) break;
    kills += 1;
  }
  expect(kills).toBeGreaterThan(0);
  expect(await readdir(folder)).toEqual(['checkpoint-4']);
});

test('one that is gone is deleted again without an error, and other names are no tombs', async () => {
  const folder = await temporaryFolder();
  await deleteCheckpoint(join(folder, 'checkpoint-9'));
  await mkdir(join(folder, '.checkpoint-9.partial'));
  await writeFile(join(folder, '.checkpoint-9.0a1b2c3d.tomb.txt'), '');
  await mkdir(join(folder, '.checkpoint-9.0a1b2c3d.tomb', 'deep'), { recursive: true });
  expect(await sweepTombs(folder)).toBe(1);
  expect((await readdir(folder)).sort()).toEqual(['.checkpoint-9.0a1b2c3d.tomb.txt', '.checkpoint-9.partial']);
  expect(await sweepTombs(join(folder, 'none'))).toBe(0);
  expect((await stat(folder)).isDirectory()).toBe(true);
});
