import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RlRow } from '../../domain/dataset.ts';
import { sampleOfRow } from '../../evaluation/sample-of-row.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

const row = (extra: Partial<RlRow['extra_info']>, dataSource = 'chartqa'): RlRow => ({
  data_source: dataSource,
  prompt: [{ role: 'user', content: 'How much is it?' }],
  images: [{ bytes: null, path: 'image.png' }],
  ability: 'chart',
  reward_model: { style: 'rule', ground_truth: '40' },
  extra_info: {
    ...{ split: '', index: 0, question: 'How much is it?', answer: '40', answer_kind: null },
    ...{ family: 'chart', transform: 'identity' },
    ...extra,
  },
});

const prepare = async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'image.png'), 'bytes');
  return join(folder, 'rows.parquet');
};

test('a sample has the kind of answer that its row says, else that of its source', async () => {
  const file = await prepare();
  const kindOf = async (...given: Parameters<typeof row>) =>
    (await sampleOfRow(row(...given), '0', file)).task.answerKind;
  expect(await kindOf({})).toBe('chart');
  expect(await kindOf({ answer_kind: 'number' })).toBe('number');
  await expect(kindOf({ answer_kind: 'essay' })).rejects.toMatchObject({ type: 'data' });
});

test('a kind for all goes before everything, and nothing is unknown then', async () => {
  const file = await prepare();
  const unknown: string[] = [];
  const { task } = await sampleOfRow(row({ answer_kind: 'number' }, 'nobody-knows'), '0', file, {
    answerKind: 'ocr',
    onUnknownSource: (source) => unknown.push(source),
  });
  expect(task.answerKind).toBe('ocr');
  expect(unknown).toEqual([]);
});

test('a source that nobody knows is told, and its answers are texts', async () => {
  const file = await prepare();
  const unknown: string[] = [];
  const { task } = await sampleOfRow(row({}, 'nobody-knows'), '0', file, {
    onUnknownSource: (source) => unknown.push(source),
  });
  expect(task.answerKind).toBe('text');
  expect(unknown).toEqual(['nobody-knows']);
});

test('what the image needs goes into the task', async () => {
  const needs = { orientation: 'rotate_90', box: [1, 2, 3, 4] } as const;
  const { task } = await sampleOfRow(row({ needs: { ...needs, box: [1, 2, 3, 4] } }), '0', await prepare());
  expect(task.needs).toEqual(needs);
});
