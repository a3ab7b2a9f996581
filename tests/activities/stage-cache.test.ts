import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findCached, recordCached } from '../../activities/stage-cache.ts';
import { withCache } from '../../activities/with-cache.ts';
import { publishArtifact } from '../../processes/artifact.ts';
import { testHost, testRun } from './test-host.ts';

const key = 'b'.repeat(64);

const madeArtifact = async (home: string) => {
  const dir = join(home, 'artifact');
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'weights.bin'), 'weights');
  return publishArtifact(dir, 'model', {});
};

test('an artifact is found under the key of its stage, and under no other', async () => {
  const host = await testHost();
  const artifact = await madeArtifact(host.home);
  await recordCached(host, 'sft', key, 'run', artifact);
  expect(await findCached(host, 'sft', key)).toEqual(artifact);
  expect(await findCached(host, 'rl', key)).toBeUndefined();
  expect(await findCached(host, 'sft', 'c'.repeat(64))).toBeUndefined();
  // The file's name holds the first half of a key only.
  expect(await findCached(host, 'sft', `${'b'.repeat(32)}${'c'.repeat(32)}`)).toBeUndefined();
});

test.each([
  ['a file that is gone', (dir: string) => rm(join(dir, 'weights.bin'))],
  ['a file of another size', (dir: string) => writeFile(join(dir, 'weights.bin'), 'weigh')],
  ['no manifest', (dir: string) => rm(join(dir, 'manifest.json'))],
  ['no folder', (dir: string) => rm(dir, { recursive: true })],
])('an artifact with %s is not found', async (_, damage) => {
  const host = await testHost();
  const artifact = await madeArtifact(host.home);
  await recordCached(host, 'sft', key, 'run', artifact);
  await damage(artifact.path);
  expect(await findCached(host, 'sft', key)).toBeUndefined();
});

test('an artifact that was replaced by another whole one is not found', async () => {
  const host = await testHost();
  const artifact = await madeArtifact(host.home);
  await recordCached(host, 'sft', key, 'run', artifact);
  await writeFile(join(artifact.path, 'weights.bin'), 'WEIGHTS');
  await publishArtifact(artifact.path, 'model', {});
  expect(await findCached(host, 'sft', key)).toBeUndefined();
});

test('a stage is made once, and again when what it left is damaged', async () => {
  const host = await testHost();
  const run = await testRun(host);
  let made = 0;
  const stage = () =>
    withCache(host, run, 'sft', key, async () => {
      made += 1;
      return { artifact: await madeArtifact(host.home), attempts: 3 };
    });
  expect(await stage()).toMatchObject({ state: 'completed', attempts: 3 });
  expect(await stage()).toMatchObject({ state: 'cached', attempts: 0 });
  expect(made).toBe(1);
  await rm(join(host.home, 'artifact', 'weights.bin'));
  expect(await stage()).toMatchObject({ state: 'completed' });
  expect(made).toBe(2);
});
