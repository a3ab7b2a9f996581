import { type RecordBatch, RecordBatchFileWriter, Table, tableToIPC } from 'apache-arrow';
import {
  Compression,
  type RecordBatch as ParquetBatch,
  Table as ParquetTable,
  transformParquetStream,
  WriterPropertiesBuilder,
} from 'parquet-wasm/node';

export const exportFormats = ['parquet', 'arrow'] as const;
export type ExportFormat = (typeof exportFormats)[number];

async function* parquetBatches(batches: AsyncIterable<RecordBatch>): AsyncGenerator<ParquetBatch> {
  for await (const batch of batches)
    yield* ParquetTable.fromIPCStream(tableToIPC(new Table([batch]), 'stream')).recordBatches();
}

/** The bytes of a file of record batches, in pieces, with one batch in memory at a time. */
export const encodeBatches = async (
  format: ExportFormat,
  batches: AsyncIterable<RecordBatch>,
): Promise<AsyncIterable<Uint8Array>> => {
  if (format === 'arrow') return ReadableStream.from(batches).pipeThrough(RecordBatchFileWriter.throughDOM());
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(8192)
    .setCreatedBy('lensmith')
    .build();
  return transformParquetStream(ReadableStream.from(parquetBatches(batches)), properties);
};
