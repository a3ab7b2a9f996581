import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { AnswerKind } from '../domain/answer-kind.ts';
import type { RlRow } from '../domain/dataset.ts';
import { type Task, taskSchema } from '../domain/episode.ts';
import { LensmithError } from '../domain/errors.ts';
import { answerKindOf } from '../scoring/answer-kind-of.ts';

/** A row as an episode asks it. */
export interface Sample {
  readonly task: Task;
  /** Parts of the batch that the row came in, there until the slot is released: who keeps one keeps the batch. */
  readonly images: readonly Uint8Array[];
  /** The row's own messages, for evaluations that ask these. */
  readonly prompt: RlRow['prompt'];
}

/** What the row calls itself: split and index, or the index where there is no split or it is a name. */
export const idOfRow = ({ extra_info: { split, index } }: RlRow): string =>
  split === '' || typeof index === 'string' ? String(index) : `${split}-${index}`;

const readImage = async (file: string, where: string): Promise<Uint8Array> => {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new LensmithError('data', `expected the image file ${file}, which ${where} names: ${String(cause)}`, {
      where,
      cause,
    });
  }
};

/** How the kind of an answer is found. */
export interface KindOptions {
  /** Every answer is of this kind, whatever the rows say. */
  readonly answerKind?: AnswerKind;
  /** Called with each name of a data source, once, of which nothing tells the kind of its answers. */
  readonly onUnknownSource?: (dataSource: string) => void;
}

const kindOf = (row: RlRow, { answerKind, onUnknownSource }: KindOptions): string => {
  if (answerKind) return answerKind;
  const { kind, from } = answerKindOf({
    named: row.extra_info.answer_kind,
    style: row.reward_model.style,
    dataSource: row.data_source,
    question: row.extra_info.question,
    reference: row.reward_model.ground_truth,
  });
  if (from === 'unknown') onUnknownSource?.(row.data_source);
  return kind;
};

/**
 * The task and the image bytes of a row. An image that the row names by a path lies relative to the data set's file.
 *
 * @param file - The row's Parquet file.
 * @throws LensmithError `data` where an image file is missing or the kind of the answer is unknown.
 */
export const sampleOfRow = async (
  row: RlRow,
  sampleId: string,
  file: string,
  kinds: KindOptions = {},
): Promise<Sample> => {
  const { question, family, transform, needs } = row.extra_info;
  const where = `${file}, sample ${sampleId}`;
  const task = taskSchema.safeParse({
    sampleId,
    dataSource: row.data_source,
    question,
    reference: row.reward_model.ground_truth,
    answerKind: kindOf(row, kinds),
    family,
    transform,
    ...(needs && { needs }),
  });
  if (!task.success)
    throw new LensmithError('data', `${where} is not a task:\n${z.prettifyError(task.error)}`, { where });
  const images = await Promise.all(
    row.images.map(({ bytes, path }) => bytes ?? readImage(resolve(dirname(file), path ?? ''), where)),
  );
  return { task: task.data, images, prompt: row.prompt };
};
