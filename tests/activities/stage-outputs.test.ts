import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRun } from '../../activities/open-run.ts';
import { runFilePath } from '../../activities/read-run.ts';
import { findCached } from '../../activities/stage-cache.ts';
import { keyOf, keyParts } from '../../activities/stage-key.ts';
import { findOutput, openOutput } from '../../activities/stage-outputs.ts';
import { withCache } from '../../activities/with-cache.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import type { StageName } from '../../domain/stage.ts';
import { publishArtifact } from '../../processes/artifact.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { testHost, testRun } from './test-host.ts';

const slow = keyParts('sft', { learningRate: 0.001 }, { base: 'x' });
const fast = keyParts('sft', { learningRate: 0.01 }, { base: 'x' });

const begun = async (dir: string): Promise<void> => {
  await mkdir(join(dir, 'checkpoint-2'), { recursive: true });
};

test('what was made under another key is neither gone on from nor written over', async () => {
  const run = await testRun(await testHost());
  const first = await openOutput(run, 'sft', slow);
  expect(first).toEqual({ key: keyOf(slow), dir: join(run.dir, 'sft') });
  await begun(first.dir);
  const second = await openOutput(run, 'sft', fast);
  expect(second.dir).toBe(join(run.dir, 'sft-2'));
  await begun(second.dir);
  // Back to the first values: it goes on where it was.
  expect(await openOutput(run, 'sft', slow)).toEqual(first);
  expect(await findOutput(run, 'sft', fast, null)).toEqual(second);
});

test('a run of an older version goes on in the folder that it has', async () => {
  const run = await testRun(await testHost());
  await begun(join(run.dir, 'checkpoints'));
  expect((await openOutput(run, 'rl', slow)).dir).toBe(join(run.dir, 'checkpoints'));
});

test('a stage that is wanted anew is made once more, in a folder of its own, and then cached', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const spec = parseRunSpec({ ...miniatureSpec(), run: run.run, existing: 'resume' });
  const open = (execution: string, from?: StageName) =>
    openRun(host)({ spec, run: run.run, workflowId: run.workflowId, execution, ...(from ? { from } : {}) });
  let made = 0;
  const stage = async () => {
    const { key, dir } = await openOutput(run, 'sft', slow);
    const result = await withCache(host, run, 'sft', key, async () => {
      made += 1;
      await mkdir(dir, { recursive: true });
      await writeFile(join(dir, 'weights.bin'), `weights ${made}`);
      return { artifact: await publishArtifact(dir, 'model', {}), attempts: 1 };
    });
    return [result.state, result.artifact.path];
  };
  await open('first');
  expect(await stage()).toEqual(['completed', join(run.dir, 'sft')]);
  await open('second', 'sft');
  expect(await stage()).toEqual(['completed', join(run.dir, 'sft-2')]);
  expect(await stage()).toEqual(['cached', join(run.dir, 'sft-2')]);
  // Going on with the run does not ask for it again, and another run takes the newer one.
  await open('third');
  expect(await stage()).toEqual(['cached', join(run.dir, 'sft-2')]);
  expect(await findCached(host, 'sft', keyOf(slow))).toMatchObject({ path: join(run.dir, 'sft-2') });
  await open('fourth', 'rl');
  expect(await stage()).toEqual(['cached', join(run.dir, 'sft-2')]);
  expect(JSON.parse(await readFile(runFilePath(run.dir), 'utf8'))).toMatchObject({
    opening: 'fourth/0',
    anew: { sft: 'second/0', rl: 'fourth/0', 'benchmark-suite': 'fourth/0' },
  });
  expect(made).toBe(2);
});

test('a clone keeps what it was cloned from', async () => {
  const host = await testHost();
  const run = 'clone-1';
  const clonedFrom = { run: 'first', execution: 'e', at: '2030-01-01T00:00:00Z', set: ['rl.steps=8'] };
  const spec = parseRunSpec({ ...miniatureSpec(), run });
  const { dir } = await openRun(host)({ spec, run, workflowId: 'train/clone-1', execution: 'a', clonedFrom });
  const again = parseRunSpec({ ...miniatureSpec(), run, existing: 'resume' });
  await openRun(host)({ spec: again, run, workflowId: 'train/clone-1', execution: 'b' });
  expect(JSON.parse(await readFile(runFilePath(dir), 'utf8'))).toMatchObject({ clonedFrom });
});
