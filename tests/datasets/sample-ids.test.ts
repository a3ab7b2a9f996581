import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRlRows } from '../../datasets/read-rows.ts';
import { idOfRow } from '../../evaluation/sample-of-row.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { python } from './python.ts';
import { all, thrown } from './thrown.ts';

const program = `
import json, sys
import pyarrow as pa, pyarrow.parquet as pq
rows = [{
  'data_source': 'own', 'prompt': [{'role': 'user', 'content': 'How much?'}], 'images': [{'bytes': b'x'}],
  'reward_model': {'style': 'rule', 'ground_truth': '40'},
  'extra_info': {'split': 'test', 'index': index, 'question': 'How much?'},
} for index in json.loads(sys.argv[2])]
pq.write_table(pa.Table.from_pylist(rows), sys.argv[1])`;

const rowsWith = async (...indices: readonly unknown[]): Promise<string> => {
  const path = join(await temporaryFolder(), 'data.parquet');
  await python(program, path, JSON.stringify(indices));
  return path;
};

// The same rows as in `tests/trainers/test_read_tasks.py`.
const texts = [
  ['id_7', 'id_7'],
  [' id_7 ', 'id_7'],
  ['007', 'test-7'],
  ['+7', 'test-7'],
  ['-7', 'test--7'],
  ['0x1F', '0x1F'],
  ['1e5', '1e5'],
  ['7.0', '7.0'],
  ['9007199254740993', '9007199254740993'],
] as const;

test('a whole number that is a text stands behind the split, and a name alone', async () => {
  const rows = await all(readRlRows(await rowsWith(...texts.map(([index]) => index))));
  expect(rows.map(idOfRow)).toEqual(texts.map(([, id]) => id));
});

test('a number stands behind the split, and where there is none that of the row', async () => {
  const rows = await all(readRlRows(await rowsWith(7, null)));
  expect(rows.map(idOfRow)).toEqual(['test-7', 'test-1']);
});

test.each([' ', 7.5])('the index %j is refused', async (index) => {
  const error = await thrown(all(readRlRows(await rowsWith(index))));
  expect(error).toMatchObject({ type: 'data', message: expect.stringContaining('expected a whole number or a name') });
});
