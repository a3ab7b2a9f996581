import { datasetFiles } from '../datasets/dataset-files.ts';
import { countRows } from '../datasets/read-parquet.ts';
import { LensmithError } from '../domain/errors.ts';

/** A file of a data set, and the rows that its footer promises. */
export interface CountedFile {
  readonly path: string;
  readonly rows: number;
}

export const rowsOf = (files: readonly CountedFile[]): number => files.reduce((sum, { rows }) => sum + rows, 0);

/**
 * The files of a data set with their rows: the denominator is known before the first question.
 *
 * @throws LensmithError `data` where a file is missing or its footer is torn, or all files together have no row.
 */
export const countedFiles = async (dataset: string): Promise<CountedFile[]> => {
  const files: CountedFile[] = [];
  for (const path of await datasetFiles(dataset)) files.push({ path, rows: await countRows(path) });
  // Of no sample there is no accuracy, and 0 would look like one.
  if (rowsOf(files) === 0) throw new LensmithError('data', 'expected at least one row, got none', { where: dataset });
  return files;
};
