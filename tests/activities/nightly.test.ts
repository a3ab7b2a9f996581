import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { closeNightly } from '../../activities/close-nightly.ts';
import type { Host } from '../../activities/host.ts';
import { openNightly } from '../../activities/open-nightly.ts';
import { type PromotionRecord, promotedFile } from '../../activities/promote.ts';
import { readSpec } from '../../activities/read-run.ts';
import { artifactAt, recordOf } from './evaluation-record.ts';
import { testHost, testRun } from './test-host.ts';

/** A host with a checkpoint that was promoted at 80 %. */
const promotedHost = async () => {
  const host = await testHost();
  const run = await testRun(host, { seed: 7 });
  const record: PromotionRecord = {
    run: run.run,
    dir: run.dir,
    at: '2030-01-01T00:00:00Z',
    decision: 'promoted',
    why: 'it is better',
    checkpoint: { ...artifactAt('checkpoint', join(run.dir, 'checkpoints', 'checkpoint-4')), step: 4 },
    data: artifactAt('dataset', join(run.dir, 'data')),
    accuracy: 0.8,
  };
  await mkdir(dirname(promotedFile(host, 'digits')), { recursive: true });
  await writeFile(promotedFile(host, 'digits'), JSON.stringify(record));
  return { host, run, record };
};

const openNight = (host: Host, startedAt = '2030-02-03T04:05:06.789Z') =>
  openNightly(host)({ name: 'digits', workflowId: 'nightly/digits', execution: 'e', startedAt });

test('a night has a folder of its own with the spec of the run that the checkpoint came from', async () => {
  const { host, run, record } = await promotedHost();
  const target = await openNight(host);
  expect(target.run).toEqual({
    run: 'nightly-digits-20300203-040506',
    dir: join(host.home, 'runs', 'nightly-digits-20300203-040506'),
    workflowId: 'nightly/digits',
  });
  expect(await readSpec(target.run)).toEqual({ ...(await readSpec(run)), run: target.run.run });
  expect(target.model).toEqual({
    modelName: 'promoted',
    checkpoint: 'checkpoint-4',
    model: record.checkpoint,
    occasion: '2030-02-03T04:05:06.789Z',
  });
  expect(target.data).toEqual(record.data);
});

test('a name under which nothing is promoted is a fault of the input', async () => {
  const host = await testHost();
  await expect(openNight(host)).rejects.toMatchObject({
    type: 'config',
    message: expect.stringContaining(promotedFile(host, 'digits')),
  });
});

test.each([
  ['a high end below the reference is a regression', { accuracy: 0.7, low: 0.65, high: 0.79 }, true],
  ['a high end at the reference is none', { accuracy: 0.72, low: 0.64, high: 0.8 }, false],
  ['a better night is none', { accuracy: 0.9, low: 0.85, high: 0.95 }, false],
])('%s', async (_, figures, regression) => {
  const { host } = await promotedHost();
  const target = await openNight(host);
  expect(await closeNightly(host)(target, recordOf(figures))).toMatchObject({ reference: 0.8, regression, ...figures });
});

test('each night is one line of the series, also where the activity is done twice', async () => {
  const { host } = await promotedHost();
  const figures = { accuracy: 0.7, low: 0.6, high: 0.8 };
  const first = await openNight(host);
  await closeNightly(host)(first, recordOf(figures));
  await closeNightly(host)(first, recordOf(figures));
  const second = await openNight(host, '2030-02-04T04:05:06.789Z');
  await closeNightly(host)(second, recordOf(figures));
  const lines = (await readFile(join(host.home, 'nightly', 'digits.jsonl'), 'utf8')).trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { run: string }).run)).toEqual([first.run.run, second.run.run]);
});
