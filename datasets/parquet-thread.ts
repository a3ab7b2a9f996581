import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { ParquetFile, type RecordBatch } from 'parquet-wasm/node';
import { batchRows } from './batch-rows.ts';
import { filePart } from './file-part.ts';

/** What the thread says: one message for each that it is sent. */
export type ParquetReply =
  | { readonly kind: 'opened'; readonly rows: number }
  | { readonly kind: 'batch'; readonly stream: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly message: string };

/** A file to open in place of the one before, with the columns to read: names, or paths of fields of a struct. */
export interface OpenRequest {
  readonly kind: 'open';
  readonly path: string;
  readonly columns: readonly string[] | null;
}
export type ParquetRequest = OpenRequest | { readonly kind: 'next' };

const reply = async (work: () => Promise<ParquetReply>): Promise<void> => {
  let message: ParquetReply;
  try {
    message = await work();
  } catch (cause) {
    message = { kind: 'failed', message: cause instanceof Error ? cause.message : String(cause) };
  }
  parentPort?.postMessage(message, message.kind === 'batch' ? [message.stream.buffer] : []);
};

let descriptor: number | undefined;
let file: ParquetFile | undefined;
let columns: readonly string[] | null = null;
let batches: ReadableStreamDefaultReader<RecordBatch> | undefined;

const isWanted = (leaf: string): boolean =>
  columns === null || columns.some((column) => leaf === column || leaf.startsWith(`${column}.`));

/** Begins the stream: one row group is in memory at a time, of it the wanted columns, and one batch decoded. */
const openBatches = async (open: ParquetFile): Promise<ReadableStreamDefaultReader<RecordBatch>> => {
  const leaves = new Set<string>();
  let bytes = 0;
  let rows = 0;
  for (const group of open.metadata().rowGroups()) {
    rows += group.numRows();
    for (const column of group.columns()) {
      const leaf = column.columnPath().join('.');
      if (!isWanted(leaf)) continue;
      leaves.add(leaf);
      bytes += column.uncompressedSize();
    }
  }
  const stream: ReadableStream<RecordBatch> = await open.stream({
    batchSize: batchRows(bytes, rows),
    columns: [...leaves],
    concurrency: 1,
  });
  return stream.getReader();
};

/** Bytes whose memory can be handed over; the decoder's are a copy for the caller already. */
const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
    ? new Uint8Array(bytes.buffer)
    : new Uint8Array(bytes);

const magic = 'PAR1';

/** The decoder would say of another kind of file that its footer is corrupt. */
const refuseOthers = (file: number): void => {
  const head = Buffer.alloc(16);
  const start = head.subarray(0, readSync(file, head, 0, head.length, 0)).toString('latin1');
  if (start.startsWith(magic)) return;
  throw new Error(
    start === '' ? 'it is empty' : `it begins with ${JSON.stringify(start)} where "${magic}" should stand`,
  );
};

const open = async (request: OpenRequest): Promise<ParquetReply> => {
  if (descriptor !== undefined) closeSync(descriptor);
  descriptor = undefined;
  file?.free();
  file = undefined;
  batches = undefined;
  ({ columns } = request);
  descriptor = openSync(request.path, 'r');
  refuseOthers(descriptor);
  file = await ParquetFile.fromFile(filePart(descriptor, 0, fstatSync(descriptor).size) as unknown as Blob);
  return { kind: 'opened', rows: file.metadata().fileMetadata().numRows() };
};

const next = async (): Promise<ParquetReply> => {
  if (!file) throw new Error('the file is not open');
  batches ??= await openBatches(file);
  const { done, value } = await batches.read();
  return done ? { kind: 'end' } : { kind: 'batch', stream: ownBytes(value.intoIPCStream()) };
};

parentPort?.on('message', (request: ParquetRequest) => reply(() => (request.kind === 'open' ? open(request) : next())));
