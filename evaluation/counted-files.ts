import { datasetFiles } from '../datasets/dataset-files.ts';
import { countRows } from '../datasets/read-parquet.ts';

/** A file of a data set, and the rows that its footer promises. */
export interface CountedFile {
  readonly path: string;
  readonly rows: number;
}

/**
 * The files of a data set with their rows: the denominator is known before the first question.
 *
 * @throws LensmithError `data` where a file is missing or its footer is torn.
 */
export const countedFiles = async (dataset: string): Promise<CountedFile[]> => {
  const files: CountedFile[] = [];
  for (const path of await datasetFiles(dataset)) files.push({ path, rows: await countRows(path) });
  return files;
};

export const rowsOf = (files: readonly CountedFile[]): number => files.reduce((sum, { rows }) => sum + rows, 0);
