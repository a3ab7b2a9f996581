import { type DatasetMessage, datasetMessageSchema, type RlRow, type SftRow } from '../domain/dataset.ts';
import { readParquet } from './read-parquet.ts';
import { asImage, asList, asStruct, asText, misfit, type Place } from './row-values.ts';

const messagesOf = (value: unknown, place: Place): DatasetMessage[] =>
  asList(value, place).map((entry) => {
    const { role, content, loss } = asStruct(entry, place);
    const parsed = datasetMessageSchema.safeParse({ role, content, loss: loss ?? null });
    if (!parsed.success) throw misfit(place, 'messages with a known role and a text as content', content);
    return parsed.data;
  });

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
    const marks = messages.reduce((sum, { content }) => sum + content.split('<image>').length - 1, 0);
    if (marks !== images.length)
      throw misfit(place('images'), `as many images as <image> marks (${marks}), which are ${images.length}`, images);
    yield { messages, images };
  }
}

const optionalText = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);

/**
 * The rows of a file in the RL schema, streamed; `prompt` may be called `messages`, and images may be plain bytes.
 * Fields of `extra_info` that are ours have defaults: `answer_kind` text, `family` the ability, `transform` identity.
 *
 * @throws LensmithError `data` naming file, row and column.
 */
export async function* readRlRows(path: string, { limit = Number.POSITIVE_INFINITY } = {}): AsyncGenerator<RlRow> {
  for await (const { index: row, values } of readParquet(path)) {
    if (row >= limit) return;
    const place = (column: string): Place => ({ path, row, column });
    const [promptColumn, prompt] = firstColumn(values, ['prompt', 'messages']);
    const reward = asStruct(values.reward_model, place('reward_model'));
    const extra = asStruct(values.extra_info, place('extra_info'));
    const groundTruth = asText(reward.ground_truth, place('reward_model.ground_truth'));
    const ability = optionalText(values.ability, 'general');
    yield {
      data_source: asText(values.data_source, place('data_source')),
      prompt: messagesOf(prompt, place(promptColumn)).map(({ role, content }) => ({ role, content })),
      images: asList(values.images, place('images')).map((image) => asImage(image, place('images'))),
      ability,
      reward_model: { style: optionalText(reward.style, 'rule'), ground_truth: groundTruth },
      extra_info: {
        split: optionalText(extra.split, ''),
        index: extra.index === undefined || extra.index === null ? row : Number(extra.index),
        question: asText(extra.question, place('extra_info.question')),
        answer: optionalText(extra.answer, groundTruth),
        answer_kind: optionalText(extra.answer_kind, 'text'),
        family: optionalText(extra.family, ability),
        transform: optionalText(extra.transform, 'identity'),
      },
    };
  }
}
