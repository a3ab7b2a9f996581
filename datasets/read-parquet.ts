import { tableFromIPC } from 'apache-arrow';
import { openParquet, unreadable } from './open-parquet.ts';

/** Rows of a Parquet file, from its footer. */
export const countRows = async (path: string): Promise<number> => {
  const file = await openParquet(path);
  await file.close();
  return file.rows;
};

/** A row as Arrow gives it: nested values are Arrow's, read through `toJSON` or by iteration. */
export interface ParquetRow {
  readonly index: number;
  readonly values: Readonly<Record<string, unknown>>;
}

const rowsOf = (path: string, stream: Uint8Array) => {
  try {
    return tableFromIPC(stream);
  } catch (cause) {
    throw unreadable(path, cause);
  }
};

/**
 * Reads a Parquet file row group by row group, in the memory of one.
 *
 * @throws LensmithError `data` naming the file where it is missing, torn or cannot be decoded.
 */
export async function* readParquet(path: string): AsyncGenerator<ParquetRow> {
  const file = await openParquet(path);
  try {
    let index = 0;
    for (let group = 0; group < file.groups; group += 1) {
      for (const row of rowsOf(path, await file.readGroup(group))) {
        yield { index, values: row?.toJSON() ?? {} };
        index += 1;
      }
    }
  } finally {
    await file.close();
  }
}
