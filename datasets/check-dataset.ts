import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import sharp from 'sharp';
import { taskAnswerKinds } from '../domain/answer-kind.ts';
import { LensmithError } from '../domain/errors.ts';
import { checkMarks, readRlRows, readSftRows } from './read-rows.ts';
import { type Place, unfit } from './row-values.ts';

const knownKinds: ReadonlySet<string> = new Set(taskAnswerKinds);

const checkKind = (kind: string | null, place: Place): void => {
  if (kind && !knownKinds.has(kind)) throw unfit(place, `one of ${taskAnswerKinds.join(', ')}`, JSON.stringify(kind));
};

const decode = async (bytes: Uint8Array, where: string): Promise<void> => {
  try {
    await sharp(bytes, { failOn: 'truncated' }).stats();
  } catch (cause) {
    throw new LensmithError('data', `expected an image that decodes: ${String(cause)}`, { where, cause });
  }
};

/**
 * Reads a data set from end to end: every row, and every image to its last pixel.
 *
 * @throws LensmithError `data` naming file, row and column of the first thing that cannot be read.
 */
export const checkDataset = async (path: string, schema: 'sft' | 'rl'): Promise<{ rows: number }> => {
  let rows = 0;
  const place = (): string => `${path}, row ${rows}, column images`;
  if (schema === 'sft')
    for await (const { images } of readSftRows(path)) {
      for (const image of images) await decode(image, place());
      rows += 1;
    }
  else
    for await (const { prompt, images, extra_info } of readRlRows(path)) {
      checkKind(extra_info.answer_kind, { path, row: rows, column: 'extra_info.answer_kind' });
      // A prompt may leave its images unnamed: they then stand before its text.
      if (prompt.some(({ content }) => content.includes('<image>')))
        checkMarks(prompt, images.length, { path, row: rows, column: 'images' });
      for (const image of images) {
        const file = image.path === null ? null : resolve(dirname(path), image.path);
        const bytes =
          image.bytes ??
          (await readFile(file ?? '').catch((cause: unknown) => {
            throw new LensmithError('data', `expected an image file at ${file}`, { where: place(), cause });
          }));
        await decode(bytes, place());
      }
      rows += 1;
    }
  if (rows === 0) throw new LensmithError('data', 'expected at least one row, got none', { where: path });
  return { rows };
};
