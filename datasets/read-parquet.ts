import { tableFromIPC } from 'apache-arrow';
import { type OpenParquet, openParquet, unreadable } from './open-parquet.ts';
import { freeMemory, shareRelease } from './shared-memory.ts';

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
  /**
   * Says that nobody reads bytes of the row any more, or its values. Once all rows of a batch have said so its memory is
   * free; the collector would look through all that the process holds after every 64 MB of batches.
   */
  readonly release: () => void;
}

const rowsOf = (path: string, stream: Uint8Array) => {
  try {
    return tableFromIPC(stream);
  } catch (cause) {
    throw unreadable(path, cause);
  }
};

/** The batches of a file; the next one is decoded while the last one is used. */
async function* batchesOf(file: OpenParquet): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const ahead = (): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    const next = file.nextBatch();
    // Whoever stops reading early leaves this one unasked for.
    next.catch(() => undefined);
    return next;
  };
  let next = ahead();
  for (let batch = await next; batch; batch = await next) {
    next = ahead();
    yield batch;
  }
}

/**
 * Reads a Parquet file batch by batch, in the memory of one row group.
 *
 * @param columns - Columns to read, such as `images` or `extra_info.question`. @default all
 * @throws LensmithError `data` naming the file where it is missing, torn or cannot be decoded.
 */
export async function* readParquet(path: string, columns: readonly string[] | null = null): AsyncGenerator<ParquetRow> {
  const file = await openParquet(path, columns);
  try {
    let index = 0;
    for await (const batch of batchesOf(file)) {
      const rows = rowsOf(path, batch);
      const share = shareRelease(rows.numRows, () => freeMemory(batch.buffer));
      for (const row of rows) {
        yield { index, values: row?.toJSON() ?? {}, release: share() };
        index += 1;
      }
    }
  } finally {
    await file.close();
  }
}
