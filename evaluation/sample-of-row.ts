import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { RlRow } from '../domain/dataset.ts';
import { type Task, taskSchema } from '../domain/episode.ts';
import { LensmithError } from '../domain/errors.ts';

/** A row as an episode asks it. */
export interface Sample {
  readonly task: Task;
  readonly images: readonly Uint8Array[];
  /** The row's own messages, for evaluations that ask these. */
  readonly prompt: RlRow['prompt'];
}

/** What the row calls itself: split and index, or the index where there is no split. */
export const idOfRow = ({ extra_info: { split, index } }: RlRow): string =>
  split === '' ? String(index) : `${split}-${index}`;

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

/**
 * The task and the image bytes of a row. An image that the row names by a path lies relative to the data set's file.
 *
 * @param file - The row's Parquet file.
 * @throws LensmithError `data` where an image file is missing or the kind of the answer is unknown.
 */
export const sampleOfRow = async (row: RlRow, sampleId: string, file: string): Promise<Sample> => {
  const { question, answer_kind, family, transform } = row.extra_info;
  const where = `${file}, sample ${sampleId}`;
  const task = taskSchema.safeParse({
    sampleId,
    dataSource: row.data_source,
    question,
    reference: row.reward_model.ground_truth,
    answerKind: answer_kind,
    family,
    transform,
  });
  if (!task.success)
    throw new LensmithError('data', `${where} is not a task:\n${z.prettifyError(task.error)}`, { where });
  const images = await Promise.all(
    // A copy: the bytes are a part of the batch, which would stay in memory as long as its slowest episode.
    row.images.map(({ bytes, path }) => bytes?.slice() ?? readImage(resolve(dirname(file), path ?? ''), where)),
  );
  return { task: task.data, images, prompt: row.prompt };
};
