import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { batchRows } from '../../datasets/batch-rows.ts';
import { datasetFiles } from '../../datasets/dataset-files.ts';
import { openParquet } from '../../datasets/open-parquet.ts';
import { readParquet } from '../../datasets/read-parquet.ts';
import { readRlRows, readRlSlots } from '../../datasets/read-rows.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { python } from './python.ts';
import { all, thrown } from './thrown.ts';

/** Rows as the published RL files have them: each image a second time in `tools_kwargs`; `size` bytes an image. */
const twice = `
import sys
import pyarrow as pa, pyarrow.parquet as pq
path, rows, size, group = sys.argv[1], *map(int, sys.argv[2:])
message = pa.struct([('role', pa.string()), ('content', pa.string())])
kwargs = pa.struct([('execute_python_code', pa.struct([('create_kwargs', pa.struct([('image', pa.binary())]))]))])
schema = pa.schema([
  ('data_source', pa.string()), ('prompt', pa.list_(message)), ('images', pa.list_(pa.binary())), ('ability', pa.string()),
  ('reward_model', pa.struct([('style', pa.string()), ('ground_truth', pa.string())])),
  ('extra_info', pa.struct([('index', pa.int64()), ('question', pa.string()), ('answer', pa.string()), ('need_tools_kwargs', pa.bool_()), ('tools_kwargs', kwargs)])),
])
def row(index):
  image = bytes([index % 256]) * size
  return {
    'data_source': 'd', 'prompt': [{'role': 'user', 'content': '<image>q'}], 'images': [image], 'ability': 'a',
    'reward_model': {'style': 'rule', 'ground_truth': str(index)},
    'extra_info': {'index': index, 'question': 'q', 'answer': str(index), 'need_tools_kwargs': True, 'tools_kwargs': {'execute_python_code': {'create_kwargs': {'image': image}}}},
  }
pq.write_table(pa.Table.from_pylist([row(index) for index in range(rows)], schema=schema), path, row_group_size=group, compression='none', use_dictionary=False)`;

test('rows of a large row group come in batches of some megabytes', async () => {
  const path = join(await temporaryFolder(), 'one-group.parquet');
  await python(twice, path, '120', '200000', '1000');
  const file = await openParquet(path, ['images']);
  const sizes: number[] = [];
  for (let batch = await file.nextBatch(); batch; batch = await file.nextBatch()) sizes.push(batch.length);
  await file.close();
  expect(file.rows).toBe(120);
  expect(sizes.length).toBeGreaterThan(4);
  for (const size of sizes) expect(size).toBeLessThan(6e6);
  const read = await all(readRlRows(path));
  expect(read.map(({ reward_model }) => reward_model.ground_truth)).toEqual(
    Array.from({ length: 120 }, (_, index) => String(index)),
  );
  for (const { images, extra_info } of read) expect(images[0]?.bytes?.[199_999]).toBe(extra_info.index);
});

test('the memory of a batch is free once all of its rows are released, and not before', async () => {
  const path = join(await temporaryFolder(), 'released.parquet');
  await python(twice, path, '4', '1000', '4');
  const slots = await all(readRlSlots(path));
  const images = slots.map((slot) => slot.read().images[0]?.bytes);
  for (const [index, slot] of slots.entries()) {
    expect(images.map((image) => image?.length)).toEqual([1000, 1000, 1000, 1000]);
    expect(images[index]?.every((byte) => byte === index)).toBe(true);
    slot.release();
    // To say it again is not to say it for another row.
    slot.release();
  }
  expect(images.map((image) => image?.length)).toEqual([0, 0, 0, 0]);
});

test('the second copy of an image is not read', async () => {
  const path = join(await temporaryFolder(), 'twice.parquet');
  await python(twice, path, '3', '1000', '2');
  const [whole] = await all(readParquet(path));
  expect(String(whole?.values.extra_info)).toContain('tools_kwargs');
  const file = await openParquet(path, ['images', 'extra_info.question', 'no_such_column']);
  const batch = await file.nextBatch();
  await file.close();
  // Two images of a thousand bytes each, once.
  expect(batch?.length).toBeLessThan(3500);
});

test('a row that does not fit does not keep the next one from being read', async () => {
  const path = join(await temporaryFolder(), 'bare.parquet');
  const program = `
import sys
import pyarrow as pa, pyarrow.parquet as pq
schema = pa.schema([('images', pa.list_(pa.binary())), ('extra_info', pa.struct([('question', pa.string()), ('answer', pa.string())]))])
rows = [{'images': [b'x'], 'extra_info': {'question': q, 'answer': 'a'}} for q in ['one', None, 'three']]
pq.write_table(pa.Table.from_pylist(rows, schema=schema), sys.argv[1])`;
  await python(program, path);
  const slots = await all(readRlSlots(path, 'own'));
  expect(slots.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(slots[2]?.read()).toMatchObject({
    data_source: 'own',
    prompt: [{ role: 'user', content: 'three' }],
    reward_model: { style: 'rule', ground_truth: 'a' },
    extra_info: { split: '', index: 2, question: 'three' },
  });
  expect(() => slots[1]?.read()).toThrow('expected messages with a text');
  // Without a name for the data source, all columns of the schema have to be there.
  expect(await thrown(all(readRlRows(path)))).toMatchObject({
    type: 'data',
    where: `${path}, row 0, column reward_model`,
  });
});

test('a benchmark may have numbers for answers, null for no images and no reference but the answer', async () => {
  const path = join(await temporaryFolder(), 'bare.parquet');
  const program = `
import sys
import pyarrow as pa, pyarrow.parquet as pq
extra = pa.struct([('question', pa.string()), ('answer', pa.int64())])
reward = pa.struct([('style', pa.string()), ('ground_truth', pa.float64())])
schema = pa.schema([('images', pa.list_(pa.binary())), ('extra_info', extra), ('reward_model', reward)])
rows = [{'images': None, 'extra_info': {'question': 'q', 'answer': 7}, 'reward_model': truth}
        for truth in [None, {'style': 'rule', 'ground_truth': None}, {'style': None, 'ground_truth': 0.5}]]
pq.write_table(pa.Table.from_pylist(rows, schema=schema), sys.argv[1])
pq.write_table(pa.Table.from_pylist(rows, schema=schema).drop_columns(['images']), sys.argv[2])`;
  const unnamed = `${path}.unnamed`;
  await python(program, path, unnamed);
  const rows = (await all(readRlSlots(path, 'own'))).map((slot) => slot.read());
  expect(rows.map(({ reward_model }) => reward_model.ground_truth)).toEqual(['7', '7', '0.5']);
  expect(rows.map(({ images }) => images)).toEqual([[], [], []]);
  // Images under another name are not passed over.
  const [first] = await all(readRlSlots(unnamed, 'own'));
  expect(() => first?.read()).toThrow('expected a list, got nothing');
});

test('the name of a folder is no pattern', async () => {
  const dir = join(await temporaryFolder(), 'test[1]');
  await mkdir(dir);
  await writeFile(join(dir, 'a.parquet'), '');
  expect(await datasetFiles(dir)).toEqual([join(dir, 'a.parquet')]);
});

test('a data set is a file, a folder, a glob, or several of these, in the order of the numbers in their names', async () => {
  const dir = await temporaryFolder();
  await mkdir(join(dir, 'more'));
  const names = ['train-2.parquet', 'train-10.parquet', 'test.parquet', 'more/x.parquet'];
  for (const name of [...names, 'notes.txt']) await writeFile(join(dir, name), '');
  const found = async (path: string): Promise<string[]> =>
    (await datasetFiles(path)).map((file) => file.slice(dir.length + 1));
  expect(await found(join(dir, 'test.parquet'))).toEqual(['test.parquet']);
  expect(await found(dir)).toEqual(['more/x.parquet', 'test.parquet', 'train-2.parquet', 'train-10.parquet']);
  expect(await found(join(dir, 'train-*.parquet'))).toEqual(['train-2.parquet', 'train-10.parquet']);
  expect(await found(`${join(dir, 'train-*.parquet')}, ${join(dir, 'test.parquet')}`)).toEqual([
    ...['train-2.parquet', 'train-10.parquet', 'test.parquet'],
  ]);
  expect(await thrown(datasetFiles(join(dir, 'none-*.parquet')))).toMatchObject({ type: 'data' });
});

test.each([
  [0, 0, 1024],
  [1000, 1000, 1024],
  [100 * 2 ** 20, 100, 4],
  [100 * 2 ** 20, 1, 1],
])('of %i bytes in %i rows, a batch has %i rows', (bytes, rows, expected) => {
  expect(batchRows(bytes, rows)).toBe(expected);
});
