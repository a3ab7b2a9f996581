import { type RecordBatch, RecordBatchFileWriter, type Schema, Table, tableToIPC } from 'apache-arrow';
import {
  Compression,
  type RecordBatch as ParquetBatch,
  Table as ParquetTable,
  transformParquetStream,
  WriterPropertiesBuilder,
  writeParquet,
} from 'parquet-wasm/node';

export type ExportFormat = 'parquet' | 'arrow';

async function* parquetBatches(batches: AsyncIterable<RecordBatch>): AsyncGenerator<ParquetBatch> {
  for await (const batch of batches)
    yield* ParquetTable.fromIPCStream(tableToIPC(new Table([batch]), 'stream')).recordBatches();
}

async function* following(first: RecordBatch, others: AsyncIterator<RecordBatch>): AsyncGenerator<RecordBatch> {
  try {
    yield first;
    for (let next = await others.next(); !next.done; next = await others.next()) yield next.value;
  } finally {
    await others.return?.();
  }
}

const encode = async (
  format: ExportFormat,
  schema: Schema,
  batches: AsyncIterable<RecordBatch>,
  groupRows: number,
): Promise<AsyncIterable<Uint8Array>> => {
  const given = batches[Symbol.asyncIterator]();
  const first = await given.next();
  // The writers of streams know no schema before the first batch.
  const empty = first.done ? new Table(schema) : undefined;
  if (format === 'arrow' && empty) return ReadableStream.from([tableToIPC(empty, 'file')]);
  if (format === 'arrow')
    return ReadableStream.from(following(first.value, given)).pipeThrough(RecordBatchFileWriter.throughDOM());
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(groupRows)
    .setCreatedBy('lensmith')
    .build();
  if (empty)
    return ReadableStream.from([writeParquet(ParquetTable.fromIPCStream(tableToIPC(empty, 'stream')), properties)]);
  return transformParquetStream(ReadableStream.from(parquetBatches(following(first.value, given))), properties);
};

/**
 * The bytes of a file of record batches, in pieces, with one batch in memory at a time. Without a batch it is a table of
 * the schema without rows.
 *
 * @param groupRows - Rows of a row group of Parquet, which is what a reader holds in memory.
 * @throws What `batches` throws, after the bytes of those before.
 */
export async function* encodeBatches(
  format: ExportFormat,
  schema: Schema,
  batches: AsyncIterable<RecordBatch>,
  groupRows = 8192,
): AsyncGenerator<Uint8Array> {
  let failure: { readonly cause: unknown } | undefined;
  // Where its source fails, the writer of Parquet ends as if that were all, and that of Arrow throws what is no error.
  async function* endingEarly(): AsyncGenerator<RecordBatch> {
    try {
      yield* batches;
    } catch (cause) {
      failure = { cause };
    }
  }
  yield* await encode(format, schema, endingEarly(), groupRows);
  if (failure) throw failure.cause;
}
