import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { expect, onTestFinished, test } from 'vitest';
import { type EvaluationRequest, evaluateModel, findEvaluation } from '../../activities/evaluate-model.ts';
import type { SharedSandbox } from '../../activities/shared-sandbox.ts';
import { ranOk, scriptedSandbox } from '../episodes/scripted-sandbox.ts';
import { startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex, writeDigitSet } from '../evaluation/digit-set.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { artifactAt } from './evaluation-record.ts';
import { activityContext } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

const samples = 12;

/** What the stage needs of the sandbox: the episodes of these tests call no tool. */
const sandbox = (): SharedSandbox => {
  const share = async () => ({ ...scriptedSandbox(() => ranOk('8\n')).sandbox, isolation: 'namespaces' });
  return Object.assign(share, { closeIfOpen: async () => undefined }) as unknown as SharedSandbox;
};

const prepare = async () => {
  const data = await temporaryFolder();
  await writeDigitSet(data, samples);
  const host = await testHost();
  const run = await testRun(host, { evaluation: { concurrency: 1 } });
  const request: EvaluationRequest = {
    modelName: 'sft',
    checkpoint: 'model',
    model: artifactAt('model', join(run.dir, 'sft')),
    data: { ...artifactAt('dataset', data), details: { files: { test: 'test.parquet' } } },
    split: 'test',
    stage: 'benchmark-suite',
  };
  let onRequest: (index: number) => void = () => undefined;
  const server = await startScriptedServer((asked) => {
    onRequest(askedIndex(asked));
    return `<answer>${askedIndex(asked)}</answer>`;
  });
  onTestFinished(() => server.close());
  const endpoint = { url: server.url, servedName: 'scripted' } as Parameters<ReturnType<typeof evaluateModel>>[2];
  const asked = () => server.requests.map(askedIndex).sort((a, b) => a - b);
  return { host, run, request, endpoint, asked, watch: (listener: typeof onRequest) => (onRequest = listener) };
};

test('its heartbeats tell how far it is and what came of the samples, and its result is found again', async () => {
  const { host, run, request, endpoint, asked } = await prepare();
  const { run: inActivity, heartbeats } = activityContext();
  const record = await inActivity(() => evaluateModel(host, sandbox())(run, request, endpoint, null));
  expect(record).toMatchObject({ cached: false, result: { verdicts: { correct: samples } } });
  expect(heartbeats.at(-1)).toMatchObject({
    stage: 'benchmark-suite',
    step: samples,
    total: samples,
    figures: { correct: samples, inFlight: 0 },
  });
  expect(await findEvaluation(host)(run, request)).toMatchObject({ cached: true, result: record.result });
  expect(asked()).toHaveLength(samples);
});

test('cancelled on one host, it goes on with the rest on another one that has the folder of the run', async () => {
  const { host, run, request, endpoint, asked, watch } = await prepare();
  const first = activityContext();
  watch((index) => {
    if (index === 5) first.environment.cancel();
  });
  const cancelled = first.run(() => evaluateModel(host, sandbox())(run, request, endpoint, null));
  await expect(cancelled).rejects.toThrow(CancelledFailure);
  await expect(cancelled).rejects.toThrow(/the evaluation was cancelled; run again, it goes on from .*sft-model-test$/);
  watch(() => undefined);
  const other = await testHost({ name: 'other' });
  const record = await activityContext().run(() => evaluateModel(other, sandbox())(run, request, endpoint, null));
  expect(record.result.verdicts).toEqual({ correct: samples });
  const twice = asked().filter((index, place, all) => all.indexOf(index) !== place);
  expect(twice).toEqual([5]);
  const lines = (await readFile(join(record.artifact.path, 'journal.jsonl'), 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(samples + 1);
});
