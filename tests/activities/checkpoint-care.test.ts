import { mkdir, readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { countedFolder, countSteps } from './count-steps.ts';
import { inActivity } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

test('old checkpoints of a stage are gone when it is over, and nothing writes to its folder any more', async () => {
  const host = await testHost();
  const run = await testRun(host, { keepCheckpoints: 1 });
  await mkdir(countedFolder(run));
  // All eight are made between two looks, so that those who look find them when the program has ended.
  await inActivity(() => countSteps(host, run, { steps: 8, saveEvery: 1, step: 0.01 }));
  const left = (await readdir(countedFolder(run))).filter((name) => /^\.?checkpoint-\d/.test(name));
  expect(left).toEqual(['checkpoint-8']);
});
