import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataFile } from '../../activities/data-files.ts';
import type { Host } from '../../activities/host.ts';
import { prepareData } from '../../activities/prepare-data.ts';
import type { SharedSandbox } from '../../activities/shared-sandbox.ts';
import { rlSchema, sftSchema } from '../../datasets/arrow-schemas.ts';
import { writeRows } from '../../datasets/write-parquet.ts';
import type { RlRow } from '../../domain/dataset.ts';
import type { RunRef } from '../../domain/stage.ts';
import { png } from '../episodes/scripted-sandbox.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { inActivity } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

/** Data that is there already needs no code to be run. */
const noSandbox: SharedSandbox = Object.assign(() => Promise.reject(new Error('the sandbox was opened')), {
  closeIfOpen: () => Promise.resolve(),
});

const rlRowOf = (index: number, bytes: Uint8Array): RlRow => ({
  data_source: 'test',
  prompt: [{ role: 'user', content: 'What digit?' }],
  images: [{ bytes, path: null }],
  ability: 'counting',
  reward_model: { style: 'rule', ground_truth: '3' },
  extra_info: {
    split: 'test',
    index,
    question: 'What digit?',
    answer: '3',
    answer_kind: 'number',
    family: 'orient',
    transform: 'identity',
  },
});

const writeSplits = async () => {
  const dir = await temporaryFolder();
  const picture = await png(28, 28);
  const files = {
    sft: join(dir, 'sft.parquet'),
    rl: join(dir, 'rl.parquet'),
    validation: join(dir, 'validation.parquet'),
    test: join(dir, 'test.parquet'),
  };
  const messages = [
    { role: 'user', content: '<image>What digit?', loss: null },
    { role: 'assistant', content: '<answer>3</answer>', loss: null },
  ];
  await writeRows(files.sft, sftSchema, [{ messages, images: [picture] }]);
  for (const [count, split] of (['rl', 'validation', 'test'] as const).entries())
    await writeRows(
      files[split],
      rlSchema,
      Array.from({ length: count + 2 }, (_, index) => ({ ...rlRowOf(index, picture) })),
    );
  return files;
};

const prepare = (host: Host, run: RunRef) => inActivity(() => prepareData(host, noSandbox)(run));

test('own Parquet files are read from end to end and referred to where they lie', async () => {
  const host = await testHost();
  const files = await writeSplits();
  const run = await testRun(host, { data: { kind: 'parquet', ...files } });
  const { state, artifact } = await prepare(host, run);
  expect(state).toBe('completed');
  expect(artifact.details).toMatchObject({ files, rows: { sft: 1, rl: 2, validation: 3, test: 4 } });
  expect(dataFile(artifact, 'validation')).toBe(files.validation);
  expect(() => dataFile(artifact, 'captions')).toThrow(/"captions"/);
});

test('the same bytes are not read again by a later run, and other bytes are', async () => {
  const host = await testHost();
  const files = await writeSplits();
  const made = await prepare(host, await testRun(host, { data: { kind: 'parquet', ...files } }));
  const taken = await prepare(host, await testRun(host, { data: { kind: 'parquet', ...files } }));
  expect(taken).toMatchObject({ state: 'cached', artifact: made.artifact });

  await writeRows(files.test, rlSchema, [{ ...rlRowOf(9, await png(28, 28)) }]);
  const anew = await prepare(host, await testRun(host, { data: { kind: 'parquet', ...files } }));
  expect(anew.state).toBe('completed');
  expect(anew.artifact.digest).not.toBe(made.artifact.digest);
});

test('a truncated file is a fault of the data that names the file, and leaves no artifact', async () => {
  const host = await testHost();
  const files = await writeSplits();
  await truncate(files.validation, 200);
  const run = await testRun(host, { data: { kind: 'parquet', ...files } });
  await expect(prepare(host, run)).rejects.toMatchObject({
    type: 'data',
    where: expect.stringContaining(files.validation),
  });
  await expect(readFile(join(run.dir, 'data', 'manifest.json'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('an image that does not decode is named by file, row and column', async () => {
  const host = await testHost();
  const files = await writeSplits();
  const whole = await png(28, 28);
  await writeRows(files.rl, rlSchema, [{ ...rlRowOf(0, whole) }, { ...rlRowOf(1, Buffer.from('x')) }]);
  const run = await testRun(host, { data: { kind: 'parquet', ...files } });
  await expect(prepare(host, run)).rejects.toMatchObject({
    type: 'data',
    where: `${files.rl}, row 1, column images`,
  });
});
