import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Host } from '../../activities/host.ts';
import type { RunRef } from '../../domain/stage.ts';
import { countedFolder, countSteps } from './count-steps.ts';
import { inActivity } from './in-activity.ts';
import { makeCheckpoint } from './made-checkpoints.ts';
import { testHost, testRun } from './test-host.ts';

const train = (host: Host, run: RunRef) =>
  inActivity(() => countSteps(host, run, { steps: 6, saveEvery: 6, step: 0.01 }));

const resumed = async (run: RunRef, attempt = 1): Promise<unknown> =>
  JSON.parse(await readFile(join(run.dir, `stages/sft/attempt-${attempt}/resume.json`), 'utf8'));

/** A checkpoint as the counting trainer writes it. */
const countedCheckpoint = async (run: RunRef, step: number): Promise<string> => {
  const { path } = await makeCheckpoint(countedFolder(run), step, 2);
  await writeFile(join(path, 'state.json'), JSON.stringify({ step }));
  return path;
};

const damages: [what: string, damage: (path: string) => Promise<void>, reason: RegExp][] = [
  ['a torn file', (path) => truncate(join(path, 'part-1'), 5), /part-1 has 5 bytes instead of \d+/],
  ['a missing file', (path) => rm(join(path, 'part-0')), /part-0 is missing/],
  [
    'other bytes in a file of the same size',
    (path) => writeFile(join(path, 'part-1'), 'PART 1 OF THE STATE AFTER 4 STEPS'),
    /the content of part-1 has changed/,
  ],
  ['no manifest', (path) => rm(join(path, 'manifest.json')), /has no manifest\.json/],
];

test.each(damages)('a checkpoint with %s is passed over with its reason', async (_, damage, reason) => {
  const host = await testHost();
  const run = await testRun(host);
  const older = await countedCheckpoint(run, 2);
  const newer = await countedCheckpoint(run, 4);
  await damage(newer);
  await train(host, run);
  expect(await resumed(run)).toEqual({
    from: older,
    step: 2,
    passedOver: [{ path: newer, reason: expect.stringMatching(reason) }],
  });
});

test.each(damages)('a stage does not begin anew where its only checkpoint has %s', async (_, damage, reason) => {
  const host = await testHost();
  const run = await testRun(host);
  await damage(await countedCheckpoint(run, 4));
  await expect(train(host, run)).rejects.toMatchObject({
    type: 'data',
    message: expect.stringMatching(
      new RegExp(
        `1 checkpoints lie there and none is whole[^]*${reason.source}[^]*lensmith checkpoints ${run.run} --clean`,
      ),
    ),
  });
  const failure = JSON.parse(await readFile(join(run.dir, 'stages/sft/attempt-1/failure.json'), 'utf8'));
  expect(failure).toMatchObject({ type: 'data', attempt: 1 });
  await rm(join(countedFolder(run), 'checkpoint-4'), { recursive: true });
  expect(await train(host, run)).toMatchObject({ state: 'completed', attempts: 2 });
  expect(await resumed(run, 2)).toEqual({ from: null, step: null, passedOver: [] });
});
