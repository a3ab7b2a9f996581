import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';

/** Bytes for both names in `result_MODEL_DATA.jsonl`: a name may have 255, and 36 are for the rest while it is written. */
const mostBytes = 219;
/** Bytes of the model's name, so that some are left for the data set's. */
const mostModelBytes = 190;

/** A name of one level, with the letters of any script: neither a folder above nor the folder itself. */
const fileName = (text: string): string =>
  text
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{M}\p{N}._-]+/gu, '-')
    .replace(/^\.{1,2}$/, '-');

/** A name that is too long ends in a digest of all of it, so that two that begin alike stay apart. */
const shortened = (name: string, most: number): string => {
  const bytes = Buffer.from(name);
  if (bytes.length <= most) return name;
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  // A letter that is cut through decodes to U+FFFD.
  const start = bytes.toString('utf8', 0, most - digest.length - 1).replace(/\uFFFD$/, '');
  return `${start}-${digest}`;
};

const dataNameOf = (path: string): string =>
  fileName(
    path
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
      // `.` and `..` have a name too.
      .map((part) => basename(resolve(part)).replace(/\.parquet$/, ''))
      .join('+')
      .replaceAll('*', 'all'),
  ) || 'data';

/** The names of a model and of a data set as folders and files have them. */
export const evaluationNames = (model: string, dataPath: string): { modelName: string; dataName: string } => {
  const modelName = shortened(fileName(model), mostModelBytes);
  return { modelName, dataName: shortened(dataNameOf(dataPath), mostBytes - Buffer.byteLength(modelName)) };
};
