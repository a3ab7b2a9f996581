import { setImmediate } from 'node:timers/promises';
import { type Schema, Table, tableToIPC, vectorFromArray } from 'apache-arrow';
import { Compression, Table as ParquetTable, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm/node';
import { writeFileAtomic } from '../processes/atomic-file.ts';

const rowGroupSize = 4096;

/**
 * Writes rows to a Parquet file through Arrow, in row groups of 4,096, under a temporary name that is renamed when all
 * is on disk. Returns the number of rows. The same rows give the same bytes.
 */
export const writeRows = async (
  path: string,
  schema: Schema,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<number> => {
  const batches = [];
  for (let start = 0; start < rows.length; start += rowGroupSize) {
    const part = rows.slice(start, start + rowGroupSize);
    const columns = Object.fromEntries(
      schema.fields.map((field) => [
        field.name,
        vectorFromArray(
          part.map((row) => row[field.name]),
          field.type,
        ),
      ]),
    );
    batches.push(...new Table(schema, columns).batches);
    // A worker that writes a large file has to go on with its heartbeats.
    await setImmediate();
  }
  const table = new Table(schema, batches);
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.SNAPPY)
    .setMaxRowGroupSize(rowGroupSize)
    .setCreatedBy('lensmith')
    .build();
  const bytes = writeParquet(ParquetTable.fromIPCStream(tableToIPC(table, 'stream')), properties);
  await writeFileAtomic(path, bytes);
  return rows.length;
};
