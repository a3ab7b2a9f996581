import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { addCheckpointEvent, readCheckpointEvents } from '../../activities/checkpoint-events.ts';
import type { Host } from '../../activities/host.ts';
import { promotedFile } from '../../activities/promote.ts';
import { pruneCheckpoints } from '../../activities/prune-checkpoints.ts';
import { type CheckpointOutcome, settleCheckpoint } from '../../activities/settle-checkpoint.ts';

import type { CheckpointRef } from '../../domain/artifact.ts';
import type { RunRef } from '../../domain/stage.ts';
import { inActivity } from './in-activity.ts';
import { makeCheckpoint } from './made-checkpoints.ts';
import { testHost, testRun } from './test-host.ts';

const rlFolder = (run: RunRef): string => join(run.dir, 'checkpoints');

const evaluated = (accuracy: number): CheckpointOutcome => ({
  kind: 'evaluated',
  accuracy,
  toolCallsPerEpisode: 1,
  evaluation: '/evaluations/x',
});

const settle = (host: Host, run: RunRef, checkpoint: CheckpointRef, outcome: CheckpointOutcome) =>
  inActivity(() => settleCheckpoint(host)(run, checkpoint, outcome));

const made = async (run: RunRef, steps: number[]): Promise<CheckpointRef[]> => {
  const checkpoints = [];
  for (const step of steps) checkpoints.push(await makeCheckpoint(rlFolder(run), step));
  return checkpoints;
};

const names = async (run: RunRef): Promise<string[]> =>
  (await readdir(rlFolder(run))).filter((name) => name.includes('checkpoint-') && !name.endsWith('.jsonl')).sort();

/** Settles checkpoints with these accuracies in the order of their steps. */
const settleAll = async (host: Host, run: RunRef, checkpoints: CheckpointRef[], accuracies: number[]) => {
  for (const [index, checkpoint] of checkpoints.entries()) {
    const accuracy = accuracies[index];
    if (accuracy !== undefined) await settle(host, run, checkpoint, evaluated(accuracy));
  }
};

test('an evaluated checkpoint goes once enough newer ones are there; the best and those that wait stay', async () => {
  const host = await testHost();
  const run = await testRun(host, { keepCheckpoints: 2 });
  const checkpoints = await made(run, [10, 20, 30, 40, 50]);
  await settleAll(host, run, checkpoints.slice(0, 2), [0.5, 0.8]);
  expect(await names(run)).toEqual(['checkpoint-20', 'checkpoint-30', 'checkpoint-40', 'checkpoint-50']);
  await settleAll(host, run, checkpoints.slice(2), [0.3, 0.2, 0.9]);
  expect(await names(run)).toEqual(['checkpoint-40', 'checkpoint-50']);
  expect(
    (await readCheckpointEvents(rlFolder(run))).flatMap((event) => (event.kind === 'pruned' ? event.step : [])),
  ).toEqual([10, 30, 20]);
});

test('an evaluation that was given up with a class lets its checkpoint go', async () => {
  const host = await testHost();
  const run = await testRun(host, { keepCheckpoints: 1 });
  const [first, second] = await made(run, [10, 20]);
  if (!first || !second) throw new Error('expected two checkpoints');
  await settle(host, run, first, { kind: 'given-up', type: 'undecided', message: 'no verdicts' });
  expect(await names(run)).toEqual(['checkpoint-20']);
});

test('a promoted checkpoint stays, whoever promoted it', async () => {
  const host = await testHost();
  const run = await testRun(host, { keepCheckpoints: 1 });
  const checkpoints = await made(run, [10, 20, 30]);
  const [first] = checkpoints;
  if (!first) throw new Error('expected a checkpoint');
  const record = {
    run: 'another',
    dir: '/elsewhere',
    at: '2030-01-01T00:00:00Z',
    decision: 'promoted',
    why: 'better',
    checkpoint: first,
    data: { kind: 'dataset', path: '/data', digest: 'd', details: {} },
    accuracy: 0.5,
  };
  await mkdir(dirname(promotedFile(host, 'another')), { recursive: true });
  await writeFile(promotedFile(host, 'another'), JSON.stringify(record));
  await settleAll(host, run, checkpoints, [0.1, 0.2, 0.9]);
  expect(await names(run)).toEqual(['checkpoint-10', 'checkpoint-30']);
});

test('nothing goes while no newer checkpoint is whole, though its files have the right sizes', async () => {
  const host = await testHost();
  const run = await testRun(host, { keepCheckpoints: 1 });
  const [first, second] = await made(run, [10, 20]);
  if (!first || !second) throw new Error('expected two checkpoints');
  await writeFile(join(second.path, 'part-0'), 'PART 0 OF THE STATE AFTER 20 STEPS');
  await settle(host, run, first, { kind: 'given-up', type: 'undecided', message: '' });
  expect(await names(run)).toEqual(['checkpoint-10', 'checkpoint-20']);
});

test('what is torn neither counts as one of the newest nor is deleted', async () => {
  const host = await testHost();
  const run = await testRun(host, { keepCheckpoints: 1 });
  const checkpoints = await made(run, [10, 20, 30]);
  await rm(join(rlFolder(run), 'checkpoint-30', 'manifest.json'));
  await settleAll(host, run, checkpoints.slice(0, 2), [0.1, 0.2]);
  expect(await names(run)).toEqual(['checkpoint-20', 'checkpoint-30']);
});

test('null keeps everything', async () => {
  const host = await testHost();
  const run = await testRun(host, { keepCheckpoints: null });
  const checkpoints = await made(run, [10, 20, 30, 40, 50]);
  await settleAll(host, run, checkpoints, [0.1, 0.2, 0.3, 0.4, 0.5]);
  expect(await names(run)).toHaveLength(5);
});

test('the checkpoints of the run from which RL was taken are left alone', async () => {
  const host = await testHost();
  const owner = await testRun(host, { keepCheckpoints: 1 });
  const taker = await testRun(host, { keepCheckpoints: 1 });
  const checkpoints = await made(owner, [10, 20]);
  await settleAll(host, taker, checkpoints, [0.1, 0.9]);
  expect(await names(owner)).toEqual(['checkpoint-10', 'checkpoint-20']);
  expect(await readCheckpointEvents(rlFolder(owner))).toEqual([]);
});

test('told twice, as after a lost worker, it is written once', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const [checkpoint] = await made(run, [10]);
  if (!checkpoint) throw new Error('expected a checkpoint');
  await settle(host, run, checkpoint, evaluated(0.5));
  await settle(host, run, checkpoint, evaluated(0.5));
  expect(await readCheckpointEvents(rlFolder(run))).toHaveLength(1);
});

test('a stage that nobody evaluates keeps its newest alone', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await made(run, [1, 2, 3, 4]);
  await addCheckpointEvent(rlFolder(run), { kind: 'verified', step: 4, digest: 'of another life', at: 1 });
  const options = { runDir: run.dir, outputDir: rlFolder(run), keep: 2, evaluated: false };
  expect(await pruneCheckpoints(host, options)).toEqual([1, 2]);
  expect(await names(run)).toEqual(['checkpoint-3', 'checkpoint-4']);
});
