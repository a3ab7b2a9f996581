import { openAsBlob } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { ParquetFile } from 'parquet-wasm/node';

/** What the thread says: first what the footer holds, then one message for each row group that it is asked for. */
export type ParquetReply =
  | { readonly kind: 'opened'; readonly rows: number; readonly groups: number }
  | { readonly kind: 'group'; readonly stream: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly message: string };

const { path } = workerData as { path: string };

const reply = async (work: () => Promise<ParquetReply>): Promise<void> => {
  let message: ParquetReply;
  try {
    message = await work();
  } catch (cause) {
    message = { kind: 'failed', message: cause instanceof Error ? cause.message : String(cause) };
  }
  parentPort?.postMessage(message, message.kind === 'group' ? [message.stream.buffer] : []);
};

let file: ParquetFile | undefined;

parentPort?.on('message', (group: number) =>
  reply(async () => {
    if (!file) throw new Error('the file is not open');
    const table = await file.read({ rowGroups: [group] });
    return { kind: 'group', stream: new Uint8Array(table.intoIPCStream()) };
  }),
);

await reply(async () => {
  file = await ParquetFile.fromFile(await openAsBlob(path));
  const metadata = file.metadata();
  return { kind: 'opened', rows: metadata.fileMetadata().numRows(), groups: metadata.numRowGroups() };
});
