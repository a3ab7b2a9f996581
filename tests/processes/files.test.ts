import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readJson, writeFileAtomic } from '../../processes/atomic-file.ts';
import { ensureDiskSpace, freeBytes } from '../../processes/disk-space.ts';
import { tailBytes, tailLines } from '../../processes/tail-file.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('readers of a file that is replaced again and again always see a whole one', async () => {
  const dir = await temporaryFolder();
  const path = join(dir, 'state.json');
  const contents = Array.from({ length: 20 }, (_, index) => String(index).repeat(50_000));
  await writeFileAtomic(path, contents[0] ?? '');
  const written = (async () => {
    for (const content of contents) await writeFileAtomic(path, content);
  })();
  for (let reads = 0; reads < 50; reads += 1) expect(contents).toContain(await readFile(path, 'utf8'));
  await written;
  expect(await readdir(dir)).toEqual(['state.json']);
});

test('a write that fails leaves nothing behind', async () => {
  const dir = await temporaryFolder();
  await mkdir(join(dir, 'folder'));
  await expect(writeFileAtomic(join(dir, 'folder'), 'content')).rejects.toThrow();
  expect(await readdir(dir)).toEqual(['folder']);
});

test('a JSON file is read through its schema, and every fault names the file', async () => {
  const dir = await temporaryFolder();
  const path = join(dir, 'value.json');
  const schema = z.strictObject({ step: z.int() });
  await expect(readJson(path, schema)).rejects.toMatchObject({ type: 'data', where: path });
  await writeFile(path, '{"step":');
  await expect(readJson(path, schema)).rejects.toThrow(/value\.json is not JSON/);
  await writeFile(path, '{"step":"one"}');
  await expect(readJson(path, schema)).rejects.toThrow(/expected number[\s\S]*step/);
  await writeFile(path, '{"step":1}');
  expect(await readJson(path, schema)).toEqual({ step: 1 });
});

test('the tail of a file is its last bytes or lines', async () => {
  const path = join(await temporaryFolder(), 'output.log');
  await writeFile(path, '');
  expect(await tailLines(path, 3)).toEqual([]);
  await writeFile(path, 'one\ntwo\nthree\nfour\n');
  expect(await tailLines(path, 2)).toEqual(['three', 'four']);
  expect(await tailLines(path, 9)).toEqual(['one', 'two', 'three', 'four']);
  expect((await tailBytes(path, 5)).toString()).toBe('four\n');
  await writeFile(path, `${'x'.repeat(1_000_000)}\nlast`);
  expect(await tailLines(path, 1)).toEqual(['last']);
});

test('too little room is an error that names the folder and both sizes', async () => {
  const dir = await temporaryFolder();
  const free = await freeBytes(dir);
  expect(free).toBeGreaterThan(0);
  await ensureDiskSpace(dir, 1, 'a run');
  await expect(ensureDiskSpace(dir, free * 10, 'a run')).rejects.toMatchObject({ type: 'disk_full', where: dir });
});
