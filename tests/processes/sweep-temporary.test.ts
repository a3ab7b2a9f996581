import { spawnSync } from 'node:child_process';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sweepTemporary } from '../../processes/sweep-temporary.ts';
import { temporaryFolder } from './temporary-folder.ts';

const writeOld = async (path: string, secondsOld: number): Promise<void> => {
  await writeFile(path, 'half');
  const then = Date.now() / 1000 - secondsOld;
  await utimes(path, then, then);
};

test('deletes what a killed writer left, in whatever folder below, and nothing that may be renamed yet', async () => {
  const dir = await temporaryFolder();
  await mkdir(join(dir, 'stages', 'rl'), { recursive: true });
  const { pid: gone } = spawnSync('true');
  await writeOld(join(dir, 'stages', 'rl', `.progress.json.${gone}.tmp`), 60);
  await writeOld(join(dir, `.run.json.${gone}.0a1b2c3d.tmp`), 60);
  await writeOld(join(dir, `.fresh.json.${gone}.0a1b2c3d.tmp`), 0);
  await writeOld(join(dir, `.mine.json.${process.pid}.0a1b2c3d.tmp`), 60);
  await writeOld(join(dir, `notes.${gone}.tmp`), 60);

  expect((await sweepTemporary(dir)).sort()).toEqual([
    join(dir, `.run.json.${gone}.0a1b2c3d.tmp`),
    join(dir, 'stages', 'rl', `.progress.json.${gone}.tmp`),
  ]);
  expect((await readdir(dir)).sort()).toEqual([
    `.fresh.json.${gone}.0a1b2c3d.tmp`,
    `.mine.json.${process.pid}.0a1b2c3d.tmp`,
    `notes.${gone}.tmp`,
    'stages',
  ]);
});

test('a folder that is not there has nothing to sweep', async () => {
  expect(await sweepTemporary(join(await temporaryFolder(), 'none'))).toEqual([]);
});
