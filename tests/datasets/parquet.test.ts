import { open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rlSchema, sftSchema } from '../../datasets/arrow-schemas.ts';
import { countRows, readParquet } from '../../datasets/read-parquet.ts';
import { readRlRows, readSftRows } from '../../datasets/read-rows.ts';
import { writeRows } from '../../datasets/write-parquet.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { python } from './python.ts';
import { all, thrown } from './thrown.ts';

const conversation = (index: number) => ({
  messages: [
    { role: 'user', content: `<image>Größe ${index}?`, loss: null },
    { role: 'assistant', content: 'a first try', loss: false },
    { role: 'assistant', content: '<answer>8</answer>', loss: null },
  ],
  images: [Uint8Array.of(1, 2, index % 256)],
});

const prompt = (index: number) => ({
  data_source: 'test',
  prompt: [{ role: 'user', content: '<image>How many?' }],
  images: [{ bytes: Uint8Array.of(9, index), path: null }],
  ability: 'counting',
  reward_model: { style: 'rule', ground_truth: '3' },
  extra_info: {
    split: 'test',
    index,
    question: 'How many?',
    answer: '3',
    answer_kind: 'number',
    family: 'count',
    transform: 'identity',
  },
});

const rows = <T>(count: number, row: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => row(index));
const file = async (name = 'data.parquet'): Promise<string> => join(await temporaryFolder(), name);

test('what is written in the SFT schema is read again', async () => {
  const path = await file();
  expect(await writeRows(path, sftSchema, rows(3, conversation))).toBe(3);
  expect(await countRows(path)).toBe(3);
  const [first, , third] = await all(readSftRows(path));
  expect(first).toEqual(conversation(0));
  expect(third).toEqual(conversation(2));
});

test('what is written in the RL schema is read again, up to a limit', async () => {
  const path = await file();
  await writeRows(path, rlSchema, rows(5, prompt));
  expect(await all(readRlRows(path))).toEqual(rows(5, prompt));
  expect(await all(readRlRows(path, { limit: 2 }))).toEqual(rows(2, prompt));
});

test('the same rows give the same bytes', async () => {
  const [one, other] = [await file(), await file()];
  await writeRows(one, sftSchema, rows(20, conversation));
  await writeRows(other, sftSchema, rows(20, conversation));
  expect((await readFile(one)).equals(await readFile(other))).toBe(true);
});

test('pyarrow reads both schemas', async () => {
  const [sft, rl] = [await file(), await file()];
  await writeRows(sft, sftSchema, rows(2, conversation));
  await writeRows(rl, rlSchema, rows(2, prompt));
  const program = `
import json, sys
import pyarrow.parquet as pq
sft, rl = (pq.read_table(path).to_pylist() for path in sys.argv[1:])
print(json.dumps({
  'messages': sft[1]['messages'],
  'image': list(sft[1]['images'][0]),
  'prompt': rl[1]['prompt'],
  'bytes': list(rl[1]['images'][0]['bytes']),
  'path': rl[1]['images'][0]['path'],
  'extra': rl[1]['extra_info'],
  'truth': rl[1]['reward_model']['ground_truth'],
}))`;
  expect(JSON.parse(await python(program, sft, rl))).toEqual({
    messages: conversation(1).messages,
    image: [1, 2, 1],
    prompt: prompt(1).prompt,
    bytes: [9, 1],
    path: null,
    extra: prompt(1).extra_info,
    truth: '3',
  });
});

/** Writes rows by pyarrow in one of the published shapes: the name of the conversation, the type of an image. */
const published = `
import sys
import pyarrow as pa, pyarrow.parquet as pq
path, column, shape = sys.argv[1:]
message = pa.struct([('role', pa.string()), ('content', pa.string())])
struct = pa.struct([('bytes', pa.binary()), ('path', pa.string())])
image = {'struct': {'bytes': b'xyz', 'path': None}, 'path': {'bytes': None, 'path': 'a.png'}, 'binary': b'xyz'}[shape]
schema = pa.schema([
  ('data_source', pa.string()),
  (column, pa.list_(message)),
  ('images', pa.list_(pa.binary() if shape == 'binary' else struct)),
  ('ability', pa.string()),
  ('reward_model', pa.struct([('style', pa.string()), ('ground_truth', pa.string())])),
  ('extra_info', pa.struct([('index', pa.int64()), ('question', pa.string()), ('answer', pa.string())])),
])
row = {
  'data_source': 'vstar', column: [{'role': 'user', 'content': '<image>Which?'}], 'images': [image], 'ability': 'visual',
  'reward_model': {'style': 'model', 'ground_truth': 'B'}, 'extra_info': {'index': 41, 'question': 'Which?', 'answer': 'B'},
}
pq.write_table(pa.Table.from_pylist([row, row], schema=schema), path, row_group_size=1)`;

test.each([
  ['prompt', 'struct', { bytes: Uint8Array.from(Buffer.from('xyz')), path: null }],
  ['messages', 'binary', { bytes: Uint8Array.from(Buffer.from('xyz')), path: null }],
  ['prompt', 'path', { bytes: null, path: 'a.png' }],
])('reads what pyarrow wrote with the column %s and images as %s, with our defaults', async (column, shape, image) => {
  const path = await file();
  await python(published, path, column, shape);
  const read = await all(readRlRows(path));
  expect(read).toHaveLength(2);
  expect(read[1]).toEqual({
    data_source: 'vstar',
    prompt: [{ role: 'user', content: '<image>Which?' }],
    images: [image],
    ability: 'visual',
    reward_model: { style: 'model', ground_truth: 'B' },
    extra_info: {
      split: '',
      index: 41,
      question: 'Which?',
      answer: 'B',
      answer_kind: null,
      family: 'visual',
      transform: 'identity',
    },
  });
});

test('reads large lists, texts and bytes as other libraries write them', async () => {
  const path = await file();
  const program = `
import sys
import pyarrow as pa, pyarrow.parquet as pq
message = pa.struct([('role', pa.large_string()), ('content', pa.large_string())])
schema = pa.schema([('messages', pa.large_list(message)), ('images', pa.large_list(pa.large_binary()))])
rows = [{'messages': [{'role': 'user', 'content': '<image>'}, {'role': 'assistant', 'content': 'yes'}], 'images': [b'xyz']}]
pq.write_table(pa.Table.from_pylist(rows, schema=schema), sys.argv[1])`;
  await python(program, path);
  const [row] = await all(readSftRows(path));
  expect(row?.messages.map(({ content }) => content)).toEqual(['<image>', 'yes']);
  expect(Buffer.from(row?.images[0] ?? [])).toEqual(Buffer.from('xyz'));
});

test('reads row group by row group: a torn second group does not keep the first from being read', async () => {
  const path = await file();
  await writeRows(path, sftSchema, rows(5000, conversation));
  const offset = await python(
    `import sys, pyarrow.parquet as pq
meta = pq.ParquetFile(sys.argv[1]).metadata
print([meta.row_group(i).num_rows for i in range(meta.num_row_groups)], meta.row_group(1).column(0).data_page_offset, sep='|')`,
    path,
  );
  const [groups, start] = offset.split('|');
  expect(groups).toBe('[4096, 904]');
  const handle = await open(path, 'r+');
  await handle.write(Buffer.alloc(64, 0xff), 0, 64, Number(start));
  await handle.close();
  let read = 0;
  const error = await thrown(
    (async () => {
      for await (const { index } of readParquet(path)) read = index + 1;
    })(),
  );
  expect(read).toBe(4096);
  expect(error).toMatchObject({ type: 'data', where: path });
  expect(error.message).toBe('expected a whole Parquet file: its pages or its footer are torn');
});

test('a reader may stop early, and the file is read again', async () => {
  const path = await file();
  await writeRows(path, rlSchema, rows(10, prompt));
  for await (const row of readRlRows(path)) {
    expect(row.extra_info.index).toBe(0);
    break;
  }
  expect(await all(readRlRows(path))).toHaveLength(10);
});

test('files are counted one after the other and at once, also behind a torn one, and each is read as itself', async () => {
  const sizes = [3, 5, 7];
  const paths = await Promise.all(sizes.map((size) => file(`${size}.parquet`)));
  for (const [index, path] of paths.entries()) await writeRows(path, sftSchema, rows(sizes[index] ?? 0, conversation));
  const torn = await file();
  await writeFile(torn, 'no parquet at all');
  for (const [index, path] of paths.entries()) {
    expect(await countRows(path)).toBe(sizes[index]);
    expect(await thrown(countRows(torn))).toMatchObject({ type: 'data', where: torn });
  }
  expect(await Promise.all(paths.map(countRows))).toEqual(sizes);
  const read = await Promise.all(paths.map((path) => all(readSftRows(path))));
  expect(read.map(({ length }) => length)).toEqual(sizes);
});

test('names a file that is missing, a folder, no Parquet, or cut', async () => {
  const path = await file();
  expect(await thrown(countRows(path))).toMatchObject({ type: 'data', where: path });
  const folder = await temporaryFolder();
  expect(await thrown(countRows(folder))).toMatchObject({ type: 'data', where: folder });
  await writeFile(path, 'no parquet at all');
  expect(await thrown(countRows(path))).toMatchObject({
    ...{ type: 'data', where: path },
    message: expect.stringContaining('Parquet file: it begins with "no parquet at al" where "PAR1" should stand'),
  });
  await writeFile(path, '');
  expect(await thrown(countRows(path))).toMatchObject({
    ...{ type: 'data', where: path },
    message: expect.stringContaining('it is empty'),
  });
  await writeRows(path, sftSchema, rows(50, conversation));
  const { length } = await readFile(path);
  for (const size of [length - 1, Math.floor(length / 2), 20]) {
    await truncate(path, size);
    const error = await thrown(all(readSftRows(path)));
    expect(error).toMatchObject({ type: 'data', where: path });
    expect(error.message).toContain('expected a whole Parquet file');
  }
});
