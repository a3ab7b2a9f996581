import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { claimStage, fenceEnvironment, isSuperseded, listFences } from '../../activities/claim-stage.ts';
import type { RunRef } from '../../domain/stage.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

const under = (dir: string, fence: number): Pick<RunRef, 'dir' | 'lease'> => ({
  dir,
  lease: { id: `lease-${fence}`, fence, gpus: [], ports: null },
});

test('a stage belongs to its newest lease, and an older one is refused for ever', async () => {
  const dir = await temporaryFolder();
  await claimStage(under(dir, 5), 'rl');
  await claimStage(under(dir, 5), 'rl');
  await claimStage(under(dir, 12), 'rl');
  await expect(claimStage(under(dir, 5), 'rl')).rejects.toMatchObject({ type: 'infrastructure' });
  await expect(claimStage(under(dir, 9), 'rl')).rejects.toThrow('fence 9');
  await claimStage(under(dir, 12), 'rl');
  expect(await listFences({ dir }, 'rl')).toEqual([5, 9, 12]);
  expect(await isSuperseded(under(dir, 9), 'rl')).toBe(true);
  expect(await isSuperseded(under(dir, 12), 'rl')).toBe(false);
});

test('of two owners at once at least the older one is refused', async () => {
  const dir = await temporaryFolder();
  for (let fence = 1; fence <= 40; fence += 2) {
    const [older, newer] = await Promise.allSettled([
      claimStage(under(dir, fence), 'sft'),
      claimStage(under(dir, fence + 1), 'sft'),
    ]);
    expect(newer.status).toBe('fulfilled');
    // Where the older one was done before the newer one began, the newer one finds its attempt and takes over.
    if (older.status === 'fulfilled') expect(await isSuperseded(under(dir, fence), 'sft')).toBe(true);
  }
});

test('without a lease nothing is claimed, and other stages are others', async () => {
  const dir = await temporaryFolder();
  await claimStage({ dir }, 'rl');
  expect(await listFences({ dir }, 'rl')).toEqual([]);
  await claimStage(under(dir, 3), 'rl');
  await claimStage(under(dir, 2), 'serve-judge');
  expect(await listFences({ dir }, 'serve-judge')).toEqual([2]);
});

test('a program under a lease is told where the fences of its stage are', async () => {
  const dir = await temporaryFolder();
  await claimStage(under(dir, 3), 'rl');
  expect(await readdir(fenceEnvironment(under(dir, 3), 'rl').LENSMITH_FENCES ?? '')).toEqual(['3']);
  expect(fenceEnvironment({ dir }, 'rl')).toEqual({});
});
