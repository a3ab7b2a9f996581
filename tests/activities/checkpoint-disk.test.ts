import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type DiskPlan, ensureRoomForCheckpoints, modelParameters } from '../../activities/checkpoint-disk.ts';
import { freeBytes } from '../../processes/disk-space.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { makeCheckpoint } from './made-checkpoints.ts';

const gibibyte = 2 ** 30;

const plan = (outputDir: string, changes: Partial<DiskPlan> = {}): DiskPlan => ({
  stage: 'rl',
  outputDir,
  parameters: 7_000_000_000,
  steps: 400,
  saveEvery: 20,
  keep: 3,
  evaluated: true,
  ...changes,
});

/** A safetensors file with these shapes and no weights. */
const writeTensors = async (path: string, shapes: Record<string, number[]>): Promise<void> => {
  const tensors = Object.entries(shapes).map(([name, shape]) => [name, { dtype: 'BF16', shape, data_offsets: [0, 0] }]);
  const header = Buffer.from(JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(tensors) }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFile(path, Buffer.concat([length, header]));
};

test('a stage that does not fit is refused with the folder and both numbers', async () => {
  const folder = await temporaryFolder();
  // Six checkpoints of 84 GB, the model of 28 GB and half a gibibyte.
  const needed = 6 * 84e9 + 28e9 + gibibyte / 2;
  await expect(ensureRoomForCheckpoints(plan(folder), async () => 100 * gibibyte)).rejects.toMatchObject({
    type: 'disk_full',
    where: folder,
    message: expect.stringMatching(
      new RegExp(
        `rl needs 496\\.\\d GiB \\(${needed} bytes\\) in ${folder}, where 100\\.0 GiB \\(${100 * gibibyte} bytes\\) are free: 6 checkpoints`,
      ),
    ),
  });
  await ensureRoomForCheckpoints(plan(folder), async () => needed);
});

test('the file system itself is asked', async () => {
  const folder = await temporaryFolder();
  const free = await freeBytes(folder);
  await expect(ensureRoomForCheckpoints(plan(folder, { parameters: free }))).rejects.toMatchObject({
    type: 'disk_full',
  });
  await ensureRoomForCheckpoints(plan(folder, { parameters: 1000 }));
});

test('where a checkpoint lies there, its size is taken and not the forecast', async () => {
  const folder = await temporaryFolder();
  await makeCheckpoint(folder, 20);
  // Whatever the model has: the checkpoints have a few bytes each.
  await ensureRoomForCheckpoints(plan(folder, { parameters: 1000 }), async () => gibibyte);
  await expect(ensureRoomForCheckpoints(plan(folder, { parameters: 1000 }), async () => 1000)).rejects.toThrow(
    '5 checkpoints of 0.0 GiB at once beyond the 1 there are',
  );
});

test('parameters are counted from the headers of all parts of the weights', async () => {
  const folder = await temporaryFolder();
  await writeTensors(join(folder, 'model-1.safetensors'), { embed: [1000, 64], scale: [] });
  await writeTensors(join(folder, 'model-2.safetensors'), { head: [64, 10, 2] });
  await writeFile(join(folder, 'config.json'), '{}');
  expect(await modelParameters(folder)).toBe(64_000 + 1 + 1280);
});

test('weights in another format are taken for two bytes a parameter', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'more'));
  await writeFile(join(folder, 'pytorch_model.bin'), Buffer.alloc(500));
  await writeFile(join(folder, 'notes.txt'), Buffer.alloc(500));
  expect(await modelParameters(folder)).toBe(250);
  await writeFile(join(folder, 'broken.safetensors'), Buffer.alloc(100));
  expect(await modelParameters(folder)).toBe(300);
});
