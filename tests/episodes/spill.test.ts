import { randomBytes } from 'node:crypto';
import { readdir, readlink } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createSpill, type Extent } from '../../episodes/spill.ts';

/** Spill files that this process has open; all are without a name. */
const openFiles = async (): Promise<number> => {
  const links = (await readdir('/proc/self/fd')).map((name) => readlink(`/proc/self/fd/${name}`).catch(() => ''));
  return (await Promise.all(links)).filter((target) => /lensmith-spill-.*\(deleted\)$/.test(target)).length;
};

const readAll = async (extent: Extent): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of extent.chunks()) chunks.push(chunk);
  return Buffer.concat(chunks);
};

test('what is written side by side comes back, piece by piece and at once', async () => {
  const spill = createSpill();
  const contents = [1, 1000, 700_000, 0].map((size) => randomBytes(size));
  const extents = await Promise.all(contents.map((content) => spill.write(content)));
  for (const [index, extent] of extents.entries()) {
    expect(await readAll(extent)).toEqual(contents[index]);
    expect(extent.bytes()).toEqual(contents[index]);
  }
});

test('a file is closed when it is full and nothing of it is held', async () => {
  const before = await openFiles();
  const spill = createSpill(1000);
  const extents = await Promise.all([400, 400, 400, 400, 400].map((size) => spill.write(Buffer.alloc(size))));
  expect(await openFiles()).toBe(before + 3);
  const [first, second, third] = extents;
  first?.release();
  third?.release();
  expect(await openFiles()).toBe(before + 3);
  second?.release();
  await expect.poll(openFiles).toBe(before + 2);
});
