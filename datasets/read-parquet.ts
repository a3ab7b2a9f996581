import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tableFromIPC } from 'apache-arrow';
import { ParquetFile } from 'parquet-wasm/node';
import { LensmithError } from '../domain/errors.ts';

const unreadable = (path: string, cause: unknown): LensmithError =>
  new LensmithError(
    'data',
    `expected a whole Parquet file: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      where: path,
      cause,
    },
  );

const openParquet = async (path: string): Promise<ParquetFile> => {
  const found = await stat(path).catch((cause: unknown) => {
    throw new LensmithError('data', 'expected a Parquet file, found none', { where: path, cause });
  });
  if (!found.isFile()) throw new LensmithError('data', 'expected a Parquet file, found a folder', { where: path });
  try {
    return await ParquetFile.fromFile(await openAsBlob(path));
  } catch (cause) {
    throw unreadable(path, cause);
  }
};

/** Rows of a Parquet file, from its footer. */
export const countRows = async (path: string): Promise<number> => {
  const file = await openParquet(path);
  try {
    return file.metadata().fileMetadata().numRows();
  } finally {
    file.free();
  }
};

/** A row as Arrow gives it: nested values are Arrow's, read through `toJSON` or by iteration. */
export interface ParquetRow {
  readonly index: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Reads a Parquet file row group by row group, in the memory of one.
 *
 * @throws LensmithError `data` naming the file where it is missing, torn or cannot be decoded.
 */
export async function* readParquet(path: string): AsyncGenerator<ParquetRow> {
  const file = await openParquet(path);
  try {
    const groups = file.metadata().numRowGroups();
    let index = 0;
    for (let group = 0; group < groups; group += 1) {
      let table: ReturnType<typeof tableFromIPC>;
      try {
        table = tableFromIPC((await file.read({ rowGroups: [group] })).intoIPCStream());
      } catch (cause) {
        throw unreadable(path, cause);
      }
      for (const row of table) {
        yield { index, values: row?.toJSON() ?? {} };
        index += 1;
      }
    }
  } finally {
    file.free();
  }
}
