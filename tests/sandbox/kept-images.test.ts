import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { keepImages } from '../../sandbox/kept-images.ts';

const image = (value: number): { bytes: Uint8Array; keep: true } => ({
  bytes: new Uint8Array(10).fill(value),
  keep: true,
});
const digestOf = (value: number): string => createHash('sha256').update(image(value).bytes).digest('hex');

test('beyond its room the images that were used last are kept', async () => {
  const { bytesOf } = keepImages(30);
  for (const value of [1, 2, 3]) await bytesOf(image(value));
  expect([...(await bytesOf({ digest: digestOf(1) }))]).toEqual([...image(1).bytes]);
  await bytesOf(image(3));
  await bytesOf(image(4));
  await expect(bytesOf({ digest: digestOf(2) })).rejects.toMatchObject({ type: 'data', where: digestOf(2) });
  for (const value of [1, 3, 4]) expect(await bytesOf({ digest: digestOf(value) })).toHaveLength(10);
});

test('an image that is not to be kept, or has no room at all, is not', async () => {
  const { bytesOf } = keepImages(9);
  await bytesOf(image(1));
  await bytesOf({ ...image(2), keep: false });
  for (const value of [1, 2])
    await expect(bytesOf({ digest: digestOf(value) })).rejects.toMatchObject({ type: 'data' });
});
