import { join } from 'node:path';
import { Binary, type DataType, Field, Float64, Int64, List, Schema, Struct, Utf8 } from 'apache-arrow';
import { expect, test } from 'vitest';
import { readRlRows } from '../../datasets/read-rows.ts';
import { writeRows } from '../../datasets/write-parquet.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { all } from './thrown.ts';

const text = (name: string) => new Field(name, new Utf8(), true);
const needsWith = (number: DataType) =>
  new Struct([text('orientation'), new Field('box', new List(new Field('item', number, true)), true)]);

/** As the published files, with `needs` beside the published fields and without any other of ours. */
const schemaWith = (number: DataType) =>
  new Schema([
    text('data_source'),
    new Field('prompt', new List(new Field('item', new Struct([text('role'), text('content')]), true)), true),
    new Field('images', new List(new Field('item', new Struct([new Field('bytes', new Binary(), true)]), true)), true),
    new Field('reward_model', new Struct([text('style'), text('ground_truth')]), true),
    new Field(
      'extra_info',
      new Struct([
        new Field('index', new Int64(), true),
        text('question'),
        new Field('transform', new List(text('item')), true),
        new Field('needs', needsWith(number), true),
      ]),
      true,
    ),
  ]);

const rowsWith = async (found: unknown[], transforms: string[][] = [], number: DataType = new Float64()) => {
  const path = join(await temporaryFolder(), 'rows.parquet');
  const rows = found.map((value, index) => ({
    data_source: 'mvtoolbench',
    prompt: [{ role: 'user', content: '<image>Which word is it?' }],
    images: [{ bytes: new Uint8Array([1]) }],
    reward_model: { style: 'model', ground_truth: 'tea' },
    extra_info: {
      index: BigInt(index),
      question: 'Which word is it?',
      transform: transforms[index] ?? null,
      needs: value,
    },
  }));
  await writeRows(path, schemaWith(number), rows);
  return all(readRlRows(path));
};

test('what an image needs is read where a row says it', async () => {
  const rows = await rowsWith([
    { orientation: 'rotate_90', box: [10, 20, 30, 40] },
    { orientation: null, box: [0, 0, 5.5, 6] },
    { orientation: 'identity', box: null },
    null,
  ]);
  expect(rows.map(({ extra_info }) => extra_info.needs)).toEqual([
    { orientation: 'rotate_90', box: [10, 20, 30, 40] },
    { orientation: null, box: [0, 0, 5.5, 6] },
    { orientation: 'identity', box: null },
    undefined,
  ]);
  expect(rows.map(({ extra_info }) => extra_info.answer_kind)).toEqual([null, null, null, null]);
});

test.each([
  ['an orientation that there is not', { orientation: 'sideways', box: null }],
  ['a box of three numbers', { orientation: null, box: [1, 2, 3] }],
  ['a box that ends before it begins', { orientation: null, box: [9, 2, 3, 4] }],
])('%s is refused with its place', async (_, value) => {
  await expect(rowsWith([value])).rejects.toMatchObject({
    type: 'data',
    where: expect.stringMatching(/row 0, column extra_info\.needs$/),
  });
});

test('a box of whole numbers is refused with its place, too', async () => {
  const box = [9n, 2n, 3n, 4n];
  await expect(rowsWith([{ orientation: null, box }], [], new Int64())).rejects.toMatchObject({
    where: expect.stringMatching(/row 0, column extra_info\.needs$/),
    message: expect.stringContaining('got {"orientation":null,"box":[9,2,3,4]}'),
  });
});

test('a list of transforms is one transform, and none is identity', async () => {
  const rows = await rowsWith([null, null, null], [['crop', 'rotate_90'], []]);
  expect(rows.map(({ extra_info }) => extra_info.transform)).toEqual(['crop+rotate_90', 'identity', 'identity']);
});
