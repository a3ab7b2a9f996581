import { type RecordBatch, RecordBatchFileWriter, Table, tableToIPC } from 'apache-arrow';
import {
  Compression,
  type RecordBatch as ParquetBatch,
  Table as ParquetTable,
  transformParquetStream,
  WriterPropertiesBuilder,
} from 'parquet-wasm/node';

export type ExportFormat = 'parquet' | 'arrow';

async function* parquetBatches(batches: AsyncIterable<RecordBatch>): AsyncGenerator<ParquetBatch> {
  for await (const batch of batches)
    yield* ParquetTable.fromIPCStream(tableToIPC(new Table([batch]), 'stream')).recordBatches();
}

/**
 * The bytes of a file of record batches, in pieces, with one batch in memory at a time.
 *
 * @param groupRows - Rows of a row group of Parquet, which is what a reader holds in memory.
 */
export const encodeBatches = async (
  format: ExportFormat,
  batches: AsyncIterable<RecordBatch>,
  groupRows = 8192,
): Promise<AsyncIterable<Uint8Array>> => {
  if (format === 'arrow') return ReadableStream.from(batches).pipeThrough(RecordBatchFileWriter.throughDOM());
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(groupRows)
    .setCreatedBy('lensmith')
    .build();
  return transformParquetStream(ReadableStream.from(parquetBatches(batches)), properties);
};
