import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readIdx } from '../../datasets/read-idx.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { thrown } from './thrown.ts';

const idx = (bytes: readonly number[]): readonly number[] => [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, ...bytes];

const saved = async (bytes: readonly number[]): Promise<string> => {
  const path = join(await temporaryFolder(), 'digits');
  await writeFile(path, Buffer.from(bytes));
  return path;
};

test('reads shape and bytes', async () => {
  const { shape, data } = await readIdx(await saved(idx([1, 2, 3, 4, 5, 255])), 2);
  expect(shape).toEqual([2, 3]);
  expect([...data]).toEqual([1, 2, 3, 4, 5, 255]);
});

test.each([
  ['too short', idx([1, 2, 3, 4, 5]), 2, 'expected 18 bytes for the shape 2×3, got 17'],
  ['too long', idx([1, 2, 3, 4, 5, 6, 7]), 2, 'got 19'],
  ['of another number of dimensions', idx([1, 2, 3, 4, 5, 6]), 3, 'with 3 dimensions'],
  ['not of unsigned bytes', [0, 0, 0x0d, ...idx([1, 2, 3, 4, 5, 6]).slice(3)], 2, 'unsigned bytes'],
  ['cut in its header', [0, 0, 8, 2, 0], 2, 'an IDX file'],
  ['compressed', [0x1f, 0x8b, 8, 2, ...idx([1, 2, 3, 4, 5, 6]).slice(4)], 2, 'an IDX file'],
  ['empty', [], 1, 'an IDX file'],
])('refuses a file that is %s and names it', async (_, bytes, dimensions, message) => {
  const path = await saved(bytes);
  const error = await thrown(readIdx(path, dimensions));
  expect(error).toMatchObject({ type: 'data', where: path });
  expect(error.message).toContain(message);
});

test('names a file that is missing', async () => {
  const path = join(await temporaryFolder(), 'nothing');
  expect(await thrown(readIdx(path, 1))).toMatchObject({ type: 'data', where: path });
});
