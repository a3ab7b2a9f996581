import { Binary, Bool, Field, Int32, List, Schema, Struct, Utf8 } from 'apache-arrow';

const text = (name: string, nullable = false): Field => new Field(name, new Utf8(), nullable);
const list = (name: string, item: Field): Field => new Field(name, new List(item), false);

/** `messages: list<struct<role, content, loss>>`, `images: list<binary>`. */
export const sftSchema = new Schema([
  list(
    'messages',
    new Field('item', new Struct([text('role'), text('content'), new Field('loss', new Bool(), true)]), false),
  ),
  list('images', new Field('item', new Binary(), false)),
]);

/** The published schema of RL and benchmark data; `extra_info` has our fields beside the published ones. */
export const rlSchema = new Schema([
  text('data_source'),
  list('prompt', new Field('item', new Struct([text('role'), text('content')]), false)),
  list('images', new Field('item', new Struct([new Field('bytes', new Binary(), true), text('path', true)]), false)),
  text('ability'),
  new Field('reward_model', new Struct([text('style'), text('ground_truth')]), false),
  new Field(
    'extra_info',
    new Struct([
      text('split'),
      new Field('index', new Int32(), false),
      text('question'),
      text('answer'),
      text('answer_kind'),
      text('family'),
      text('transform'),
    ]),
    false,
  ),
]);
