import { type DatasetMessage, datasetMessageSchema, type RlRow, type SftRow } from '../domain/dataset.ts';
import { type TaskNeeds, taskNeedsSchema } from '../domain/image-location.ts';
import { readParquet } from './read-parquet.ts';
import { asImage, asList, asStruct, asText, isList, misfit, type Place, shown, unfit } from './row-values.ts';

const messagesOf = (value: unknown, place: Place): DatasetMessage[] =>
  asList(value, place).map((entry) => {
    const { role, content, loss } = asStruct(entry, place);
    const parsed = datasetMessageSchema.safeParse({ role, content, loss: loss ?? null });
    if (parsed.success) return parsed.data;
    if (typeof content !== 'string') throw misfit(place, 'messages with a text as content', content);
    throw unfit(place, 'messages of the system, a user, an assistant or a tool', `the role ${shown(role)}`);
  });

/** Throws unless a row names each of its images once. */
export const checkMarks = (messages: readonly { readonly content: string }[], images: number, place: Place): void => {
  const marks = messages.reduce((sum, { content }) => sum + content.split('<image>').length - 1, 0);
  if (marks !== images) throw unfit(place, `as many images as <image> marks, which are ${marks}`, String(images));
};

const firstColumn = (values: Readonly<Record<string, unknown>>, names: readonly string[]): [string, unknown] => {
  const name = names.find((candidate) => values[candidate] !== undefined && values[candidate] !== null) ?? names[0];
  return [name ?? '', name === undefined ? undefined : values[name]];
};

/**
 * The rows of a file in the SFT schema, streamed.
 *
 * @throws LensmithError `data` naming file, row and column.
 */
export async function* readSftRows(path: string): AsyncGenerator<SftRow> {
  for await (const { index: row, values } of readParquet(path)) {
    const place = (column: string): Place => ({ path, row, column });
    const messages = messagesOf(values.messages, place('messages'));
    const images = asList(values.images ?? [], place('images')).map((image) => {
      const { bytes } = asImage(image, place('images'));
      if (!bytes) throw misfit(place('images'), 'the bytes of an image', image);
      return bytes;
    });
    checkMarks(messages, images.length, place('images'));
    yield { messages, images };
  }
}

const optionalText = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);

const indexOf = (value: unknown, place: Place): number | string => {
  if (value === undefined || value === null) return place.row;
  const text = typeof value === 'string' ? value.trim() : undefined;
  // `Number` also takes '0x1F' and '1e5', which are names.
  const index = text === undefined || /^[+-]?\d+$/.test(text) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(index)) return index;
  if (!text) throw misfit(place, 'a whole number or a name', value);
  return text;
};

/** MVToolBench lists what was done to an image: `crop`, `rotate_90` is `crop+rotate_90`. */
const transformOf = (value: unknown): string => {
  if (typeof value === 'string' && value !== '') return value;
  const parts = isList(value) ? [...value].filter((part) => typeof part === 'string' && part !== '') : [];
  return parts.join('+') || 'identity';
};

/** What the row's image needs before it can be read; a list of four numbers, or null, as box. */
const needsOf = (value: unknown, place: Place): { needs?: TaskNeeds } => {
  if (value === undefined || value === null) return {};
  const { orientation, box } = asStruct(value, place);
  const corners = box === undefined || box === null ? null : asList(box, place).map(Number);
  const parsed = taskNeedsSchema.safeParse({ orientation: orientation ?? null, box: corners });
  if (parsed.success) return { needs: parsed.data };
  throw unfit(place, 'an orientation or null, and a box as left, top, right and bottom or null', shown(value));
};

/**
 * What an evaluation or a trainer needs of a row. The published RL files hold each image a second time inside
 * `extra_info.tools_kwargs`; that copy is not read.
 */
const rlColumns = [
  ...['data_source', 'prompt', 'messages', 'images', 'ability', 'reward_model.style', 'reward_model.ground_truth'],
  ...['split', 'index', 'question', 'answer', 'answer_kind', 'family', 'transform', 'needs'].map(
    (name) => `extra_info.${name}`,
  ),
];

/**
 * A row in the RL schema; `prompt` may be called `messages`, and images may be plain bytes. Fields of `extra_info` that
 * are ours have defaults: `answer_kind` null, `family` the ability, `transform` identity, `needs` none.
 *
 * @throws LensmithError `data` naming file, row and column.
 */
const rlRowOf = (values: Readonly<Record<string, unknown>>, path: string, row: number): RlRow => {
  const place = (column: string): Place => ({ path, row, column });
  const [promptColumn, prompt] = firstColumn(values, ['prompt', 'messages']);
  const reward = asStruct(values.reward_model, place('reward_model'));
  const extra = asStruct(values.extra_info, place('extra_info'));
  const groundTruth = asText(reward.ground_truth, place('reward_model.ground_truth'));
  const ability = optionalText(values.ability, 'general');
  return {
    data_source: asText(values.data_source, place('data_source')),
    prompt: messagesOf(prompt, place(promptColumn)).map(({ role, content }) => ({ role, content })),
    images: asList(values.images, place('images')).map((image) => asImage(image, place('images'))),
    ability,
    reward_model: { style: optionalText(reward.style, 'rule'), ground_truth: groundTruth },
    extra_info: {
      split: optionalText(extra.split, ''),
      index: indexOf(extra.index, place('extra_info.index')),
      question: asText(extra.question, place('extra_info.question')),
      answer: optionalText(extra.answer, groundTruth),
      answer_kind: optionalText(extra.answer_kind, '') || null,
      family: optionalText(extra.family, ability),
      transform: transformOf(extra.transform),
      ...needsOf(extra.needs, place('extra_info.needs')),
    },
  };
};

/** A row that may be read, later and more than once: `read` throws LensmithError `data` where it does not fit. */
export interface RlSlot {
  /** Row of the file, from 0. */
  readonly index: number;
  readonly read: () => RlRow;
  /** Says that nobody reads the row any more, or bytes of its images. */
  readonly release: () => void;
}

/** An answer that is a number in the file is a text, as JavaScript writes it. */
const asWritten = (value: unknown): unknown =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value)) ? String(value) : value;

/**
 * A benchmark may have no more than images, a question and an answer; the rest follows from these. A row whose images
 * are null has none; where the column is missing it may have another name, which is not passed over.
 */
const asBenchmark = (values: Readonly<Record<string, unknown>>, path: string, row: number, dataSource: string) => {
  const { question, answer } = asStruct(values.extra_info, { path, row, column: 'extra_info' });
  const [, prompt] = firstColumn(values, ['prompt', 'messages']);
  const { style, ground_truth } = asStruct(values.reward_model ?? {}, { path, row, column: 'reward_model' });
  return {
    ...values,
    data_source: values.data_source ?? dataSource,
    prompt: prompt ?? [{ role: 'user', content: question }],
    images: values.images === null ? [] : values.images,
    reward_model: { style, ground_truth: asWritten(ground_truth ?? answer) },
  };
};

/**
 * The rows of a file in the RL schema, streamed; one that does not fit does not keep the others from being read.
 *
 * @param dataSource - Given, a row need not have more than `images` and `extra_info` with `question` and `answer`, and
 * this is its `data_source`.
 * @throws LensmithError `data` naming the file where it is missing or torn.
 */
export async function* readRlSlots(path: string, dataSource?: string): AsyncGenerator<RlSlot> {
  for await (const { index, values, release } of readParquet(path, rlColumns))
    yield {
      index,
      read: () =>
        rlRowOf(dataSource === undefined ? values : asBenchmark(values, path, index, dataSource), path, index),
      release,
    };
}

/**
 * The rows of a file in the RL schema, streamed.
 *
 * @throws LensmithError `data` naming file, row and column.
 */
export async function* readRlRows(path: string, { limit = Number.POSITIVE_INFINITY } = {}): AsyncGenerator<RlRow> {
  for await (const slot of readRlSlots(path)) {
    if (slot.index >= limit) return;
    yield slot.read();
  }
}
