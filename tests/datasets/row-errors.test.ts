import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Binary, Field, Int32, List, Schema, Struct, Utf8 } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { rlSchema, sftSchema } from '../../datasets/arrow-schemas.ts';
import { checkDataset } from '../../datasets/check-dataset.ts';
import { readRlRows, readSftRows } from '../../datasets/read-rows.ts';
import { writeRows } from '../../datasets/write-parquet.ts';
import { png } from '../episodes/scripted-sandbox.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { all, thrown } from './thrown.ts';

const picture = await png(28, 28);

const sftRow = (content: string, images: readonly Uint8Array[], role = 'user') => ({
  messages: [
    { role, content, loss: null },
    { role: 'assistant', content: '<answer>8</answer>', loss: null },
  ],
  images,
});
const good = sftRow('<image>Which?', [picture]);

const rlRow = (content: string, images: readonly { bytes: Uint8Array | null; path: string | null }[]) => ({
  data_source: 'test',
  prompt: [{ role: 'user', content }],
  images,
  ability: 'counting',
  reward_model: { style: 'rule', ground_truth: '3' },
  extra_info: { split: 't', index: 0, question: 'q', answer: '3', answer_kind: 'number', family: 'f', transform: 'i' },
});

const saved = async (schema: Schema, ...rows: Record<string, unknown>[]): Promise<string> => {
  const path = join(await temporaryFolder(), 'data.parquet');
  await writeRows(path, schema, rows);
  return path;
};

const without = (schema: Schema, name: string) => new Schema(schema.fields.filter((field) => field.name !== name));
const replaced = (schema: Schema, field: Field) =>
  new Schema(schema.fields.map((other) => (other.name === field.name ? field : other)));

describe('a row that does not fit is named by file, row and column', () => {
  it('SFT without messages', async () => {
    const path = await saved(without(sftSchema, 'messages'), good);
    const error = await thrown(all(readSftRows(path)));
    expect(error).toMatchObject({ type: 'data', where: `${path}, row 0, column messages` });
    expect(error.message).toBe('expected a list, got nothing');
  });

  it.each(['data_source', 'prompt', 'images', 'reward_model', 'extra_info'])('RL without %s', async (column) => {
    const path = await saved(without(rlSchema, column), rlRow('<image>', [{ bytes: picture, path: null }]));
    const error = await thrown(all(readRlRows(path)));
    expect(error).toMatchObject({ type: 'data', where: `${path}, row 0, column ${column}` });
    expect(error.message).toMatch(/^expected .*, got nothing$/);
  });

  it('numbers where texts should be', async () => {
    const message = new Struct([new Field('role', new Utf8()), new Field('content', new Int32())]);
    const schema = replaced(sftSchema, new Field('messages', new List(new Field('item', message))));
    const path = await saved(schema, { messages: [{ role: 'user', content: 5 }], images: [] });
    const error = await thrown(all(readSftRows(path)));
    expect(error.where).toBe(`${path}, row 0, column messages`);
    expect(error.message).toBe('expected messages with a text as content, got number');
  });

  it('texts where images should be', async () => {
    const schema = replaced(sftSchema, new Field('images', new List(new Field('item', new Utf8()))));
    const path = await saved(schema, { ...good, images: ['cat.png'] });
    const error = await thrown(all(readSftRows(path)));
    expect(error.where).toBe(`${path}, row 0, column images`);
    expect(error.message).toBe('expected a struct, got string');
  });

  it('one image where a list should be', async () => {
    const schema = replaced(sftSchema, new Field('images', new Binary()));
    const path = await saved(schema, { ...good, images: picture });
    const error = await thrown(all(readSftRows(path)));
    expect(error.message).toBe('expected a list, got bytes');
  });

  it('a role that there is not', async () => {
    const path = await saved(sftSchema, good, sftRow('<image>', [picture], 'robot'));
    const error = await thrown(all(readSftRows(path)));
    expect(error.where).toBe(`${path}, row 1, column messages`);
    expect(error.message).toContain('got the role "robot"');
  });

  it.each([
    ['fewer images than marks', '<image><image>', 1],
    ['more images than marks', '<image>', 2],
    ['images without a mark', 'Which?', 1],
  ])('%s', async (_, content, images) => {
    const path = await saved(sftSchema, good, good, sftRow(content, new Array<Uint8Array>(images).fill(picture)));
    const error = await thrown(all(readSftRows(path)));
    const marks = content.split('<image>').length - 1;
    expect(error).toMatchObject({ type: 'data', where: `${path}, row 2, column images` });
    expect(error.message).toBe(`expected as many images as <image> marks, which are ${marks}, got ${images}`);
  });

  it('an image with neither bytes nor a path', async () => {
    const path = await saved(rlSchema, rlRow('<image>', [{ bytes: null, path: null }]));
    expect((await thrown(all(readRlRows(path)))).where).toBe(`${path}, row 0, column images`);
  });
});

describe('checkDataset', () => {
  it('counts the rows of a sound file', async () => {
    expect(await checkDataset(await saved(sftSchema, good, good), 'sft')).toEqual({ rows: 2 });
    const image = { bytes: picture, path: null };
    expect(await checkDataset(await saved(rlSchema, rlRow('<image>', [image]), rlRow('', [image])), 'rl')).toEqual({
      rows: 2,
    });
  });

  it.each([
    ['no image at all', Buffer.from('not an image')],
    ['a truncated image', picture.subarray(0, picture.length - 30)],
    ['empty', new Uint8Array()],
  ])('names the row whose image is %s', async (_, broken) => {
    const sft = await saved(sftSchema, good, sftRow('<image>', [broken]));
    const rl = await saved(rlSchema, rlRow('<image>', [{ bytes: broken, path: null }]));
    const ofSft = await thrown(checkDataset(sft, 'sft'));
    expect(ofSft).toMatchObject({ type: 'data', where: `${sft}, row 1, column images` });
    expect(ofSft.message).toContain('expected an image that decodes');
    expect(await thrown(checkDataset(rl, 'rl'))).toMatchObject({ type: 'data', where: `${rl}, row 0, column images` });
  });

  it('finds an image by its path beside the file, and names one that is missing', async () => {
    const path = await saved(rlSchema, rlRow('<image>', [{ bytes: null, path: 'one.png' }]));
    expect(await thrown(checkDataset(path, 'rl'))).toMatchObject({ where: `${path}, row 0, column images` });
    await writeFile(join(dirname(path), 'one.png'), picture);
    expect(await checkDataset(path, 'rl')).toEqual({ rows: 1 });
  });

  it('refuses an RL prompt that names another number of images than it has', async () => {
    const path = await saved(rlSchema, rlRow('<image><image>', [{ bytes: picture, path: null }]));
    expect(await thrown(checkDataset(path, 'rl'))).toMatchObject({ where: `${path}, row 0, column images` });
  });

  it('refuses a kind of answer that there is not', async () => {
    const row = rlRow('', [{ bytes: picture, path: null }]);
    const path = await saved(rlSchema, row, { ...row, extra_info: { ...row.extra_info, answer_kind: 'open' } });
    const error = await thrown(checkDataset(path, 'rl'));
    expect(error).toMatchObject({ type: 'data', where: `${path}, row 1, column extra_info.answer_kind` });
    expect(error.message).toMatch(/^expected one of number, .*, auto, got "open"$/);
  });

  it('takes an empty kind of answer for none', async () => {
    const row = rlRow('', [{ bytes: picture, path: null }]);
    const path = await saved(rlSchema, { ...row, extra_info: { ...row.extra_info, answer_kind: '' } });
    expect(await checkDataset(path, 'rl')).toEqual({ rows: 1 });
    for await (const { extra_info } of readRlRows(path)) expect(extra_info.answer_kind).toBeNull();
  });

  it('refuses a file without rows', async () => {
    const path = await saved(sftSchema);
    expect(await thrown(checkDataset(path, 'sft'))).toMatchObject({ type: 'data', where: path });
  });
});
