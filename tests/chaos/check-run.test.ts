import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { faultsOfOutcome, faultsOfSteps } from './check-run.ts';
import type { FaultOutcome } from './fault.ts';
import { temporaryFiles } from './leftovers.ts';
import { pace } from './pace.ts';
import { repetitionsOf } from './repetitions.ts';

const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'chaos-check-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
};

test('a curve with each step once is in order', () => {
  expect(faultsOfSteps('rl', [1, 2, 3, 4, 5, 6], 6)).toEqual([]);
});

test.each([
  ['a step that is missing', [1, 2, 3, 5, 6], ['rl: steps 4 were never done', 'rl: after step 3 came 5']],
  ['a step that stands twice', [1, 2, 3, 3, 4, 5, 6], ['rl: after step 3 came 3']],
  ['nothing', [], ['rl: steps 1, 2, 3, 4, 5, 6 were never done']],
])('%s is seen', (_, written, faults) => {
  expect(faultsOfSteps('rl', written, 6)).toEqual(faults);
});

test('tells how many steps each attempt did again, also those of an attempt before the last', async () => {
  const dir = await folder();
  // Reached 7, went on at 3 and reached 5, went on at 3 again; the fourth began after a checkpoint at 9.
  const attempts = [
    { reached: 7, from: null },
    { reached: 5, from: 3 },
    { reached: 9, from: 3 },
    { reached: 12, from: 9 },
  ];
  for (const [index, { reached, from }] of attempts.entries()) {
    const attempt = join(dir, 'stages', 'rl', `attempt-${index + 1}`);
    await mkdir(attempt, { recursive: true });
    await writeFile(join(attempt, 'progress.json'), JSON.stringify({ step: reached }));
    await writeFile(join(attempt, 'resume.json'), JSON.stringify({ step: from }));
  }
  expect(await repetitionsOf(dir, 'rl')).toEqual([
    { attempt: 2, again: 4 },
    { attempt: 3, again: 4 },
    { attempt: 4, again: 0 },
  ]);
});

test('finds what a writer left that was killed, and nothing else', async () => {
  const dir = await folder();
  await mkdir(join(dir, 'checkpoints', '.checkpoint-3.partial'), { recursive: true });
  for (const name of ['.run.json.12.ab.tmp', 'run.json', '.journal'])
    await writeFile(join(dir, 'checkpoints', name), '');
  expect((await temporaryFiles(dir)).sort()).toEqual([
    join(dir, 'checkpoints', '.checkpoint-3.partial'),
    join(dir, 'checkpoints', '.run.json.12.ab.tmp'),
  ]);
});

const outcome: FaultOutcome = {
  component: 'host worker',
  stage: 'rl',
  kind: 'kill',
  afterMs: 0,
  lastsMs: 3000,
  met: true,
  detectedSeconds: 1,
  replacedSeconds: 2,
  recoveredSeconds: 3,
  failure: null,
  restarted: false,
  steps: null,
};

test.each([
  ['a fault that was borne', {}, []],
  ['one that met nothing', { met: false, recoveredSeconds: null }, []],
  ['a run that stands still', { recoveredSeconds: null }, ['kill host worker in rl: the run never got on']],
  [
    'a wrong class',
    { failure: 'infrastructure' },
    ['kill host worker in rl: it ended the run as infrastructure, not as disk_full'],
  ],
  ['training that was lost', { restarted: true }, ['kill host worker in rl: it cost the trainer an attempt']],
  ['training that had to be lost', { restarted: true, component: 'RL driver' }, []],
])('%s', (_, changes, wrong) => {
  expect(faultsOfOutcome({ ...outcome, ...changes })).toEqual(wrong);
});

test('the pace during a time is that of the steps that touch it', () => {
  const curve = [0, 2, 4, 11, 13, 22].map((at, index) => ({ step: index + 1, at: 1000 * at }));
  // Steps of 2, 2, 7, 2 and 9 seconds: from second 5 to 12 the third and the fourth are under way.
  expect(pace(curve, 5000, 12_000)).toEqual({ longest: 7, median: 2 });
  expect(pace(curve, 30_000, 40_000)).toBeNull();
});
