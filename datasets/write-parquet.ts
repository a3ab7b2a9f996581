import { open, rename, rm } from 'node:fs/promises';
import { type Schema, Table, tableToIPC, vectorFromArray } from 'apache-arrow';
import { Compression, Table as ParquetTable, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm/node';

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
  const columns = Object.fromEntries(
    schema.fields.map((field) => [
      field.name,
      vectorFromArray(
        rows.map((row) => row[field.name]),
        field.type,
      ),
    ]),
  );
  const table = new Table(schema, columns);
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.SNAPPY)
    .setMaxRowGroupSize(rowGroupSize)
    .setCreatedBy('lensmith')
    .build();
  const bytes = writeParquet(ParquetTable.fromIPCStream(tableToIPC(table, 'stream')), properties);
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return rows.length;
};
