import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Host } from '../../activities/host.ts';
import { trainModel } from '../../activities/train-model.ts';
import { reportFiles } from '../../activities/trainer-command.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import type { RunSpecInput } from '../../domain/run-spec.ts';
import type { RunRef } from '../../domain/stage.ts';
import { publishArtifact } from '../../processes/artifact.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { inActivity } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

const outputOf = (run: RunRef): string => join(run.dir, 'sft');

interface Changes {
  readonly key?: string;
  readonly behaviour?: string;
  readonly microBatchSize?: number;
  readonly spec?: Partial<RunSpecInput>;
}

const train = (host: Host, run: RunRef, { key = 'a'.repeat(64), behaviour, microBatchSize, spec }: Changes = {}) =>
  inActivity(() =>
    trainModel(host, {
      run,
      stage: 'sft',
      program: 'sft',
      key,
      outputDir: outputOf(run),
      threads: 1,
      stallSeconds: 60,
      patienceSeconds: 60,
      care: {
        spec: parseRunSpec(miniatureSpec(spec)),
        gpus: 0,
        steps: 6,
        saveEvery: 2,
        evaluated: false,
        model: null,
      },
      ...(microBatchSize ? { microBatch: { size: microBatchSize, divides: 12 } } : {}),
      config: (attempt, resumeFrom) => ({
        program: 'sft',
        run: run.run,
        seed: 0,
        threads: 1,
        device: 'cpu',
        ...reportFiles(attempt),
        outputDir: outputOf(run),
        resumeFrom,
        steps: 6,
        learningRate: 0.001,
        warmupSteps: 0,
        saveEvery: 2,
        model: '/models/base',
        dataset: '/data/sft.parquet',
        batchSize: 12,
        microBatchSize: microBatchSize ?? 1,
        ...(behaviour ? { behaviour } : {}),
      }),
    }),
  );

const writeCheckpoint = async (run: RunRef, step: number): Promise<string> => {
  const dir = join(outputOf(run), `checkpoint-${step}`);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'state.bin'), `state after ${step} steps`);
  await publishArtifact(dir, 'checkpoint', { step });
  return dir;
};

const resumedFrom = async (run: RunRef): Promise<unknown[]> =>
  (await readFile(join(outputOf(run), 'starts.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { resumeFrom: unknown }).resumeFrom);

test('begins at step 0 where there is no checkpoint, and gives the model', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const result = await train(host, run);
  expect(result).toMatchObject({ state: 'completed', attempts: 1, artifact: { kind: 'model', details: { steps: 2 } } });
  expect(result.artifact.path).toBe(join(outputOf(run), 'model'));
  expect(await resumedFrom(run)).toEqual([null]);
});

test('goes on from the newest whole checkpoint and passes over a torn one', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await writeCheckpoint(run, 2);
  const whole = await writeCheckpoint(run, 4);
  const changed = await writeCheckpoint(run, 6);
  // The size stays, so that only the content tells.
  await writeFile(join(changed, 'state.bin'), 'state after 9 steps');
  await mkdir(join(outputOf(run), 'checkpoint-8'));
  await train(host, run);
  expect(await resumedFrom(run)).toEqual([whole]);
});

test('a model with the same key is taken from the run that made it', async () => {
  const host = await testHost();
  const first = await testRun(host);
  const made = await train(host, first);
  const second = await testRun(host);
  const taken = await train(host, second);
  expect(taken).toMatchObject({ state: 'cached', attempts: 0, artifact: made.artifact });
});

test('an attempt that ran out of memory leaves a smaller micro-batch of the same batch to the next', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const attempt = () => train(host, run, { behaviour: 'need-memory', microBatchSize: 12 });
  for (const remedy of ['microBatchSize 12 → 6', 'microBatchSize 6 → 3', 'microBatchSize 3 → 1'])
    await expect(attempt()).rejects.toMatchObject({ type: 'out_of_memory', details: { remedy } });
  expect(await attempt()).toMatchObject({ state: 'completed', attempts: 4 });
  const configs = await Promise.all(
    [1, 2, 3, 4].map(async (number) =>
      JSON.parse(await readFile(join(run.dir, `stages/sft/attempt-${number}/config.json`), 'utf8')),
    ),
  );
  expect(configs.map(({ batchSize, microBatchSize }) => [batchSize, microBatchSize])).toEqual([
    [12, 12],
    [12, 6],
    [12, 3],
    [12, 1],
  ]);
});

test('memory that runs out with nothing left to shrink is told so', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(train(host, run, { behaviour: 'run-out-of-memory', microBatchSize: 1 })).rejects.toMatchObject({
    type: 'out_of_memory',
    details: { remedy: null },
  });
});

test('a model that lost a file after it was made is made again', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const made = await train(host, run);
  await rm(join(made.artifact.path, 'weights.bin'));
  const again = await train(host, run);
  expect(again).toMatchObject({ state: 'completed', attempts: 2, artifact: { digest: made.artifact.digest } });
});
