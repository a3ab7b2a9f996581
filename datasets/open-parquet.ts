import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { LensmithError } from '../domain/errors.ts';
import type { ParquetReply, ParquetRequest } from './parquet-thread.ts';

/** A Parquet file that is open for reading. */
export interface OpenParquet {
  readonly rows: number;
  /** The next rows as an Arrow IPC stream of about 4 MiB; undefined after the last. One call at a time. */
  readonly nextBatch: () => Promise<Uint8Array | undefined>;
  readonly close: () => Promise<void>;
}

const reasonOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause);
  return cause.name === 'RuntimeError' ? 'its pages or its footer are torn' : cause.message;
};

export const unreadable = (path: string, cause: unknown): LensmithError =>
  new LensmithError('data', `expected a whole Parquet file: ${reasonOf(cause)}`, { where: path, cause });

/** Milliseconds that a thread may take over one batch. */
const replyLimit = 600_000;

/** The thread's next message; it may end instead of sending one. */
const nextReply = (thread: Worker): Promise<ParquetReply> =>
  new Promise((resolve, reject) => {
    const onMessage = (reply: ParquetReply): void => {
      forget();
      resolve(reply);
    };
    const onError = (cause: unknown): void => {
      forget();
      reject(cause);
    };
    const onExit = (code: number): void => {
      forget();
      reject(new Error(`the reader ended with code ${code}`));
    };
    const timer = setTimeout(() => {
      forget();
      reject(new Error(`the reader did not reply within ${replyLimit / 1000} seconds`));
    }, replyLimit);
    const forget = (): void => {
      clearTimeout(timer);
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
  });

/**
 * Opens a Parquet file in a thread of its own: the decoder panics on some torn files, which then ends the thread and
 * not the process, and decoding does not hold up the event loop. What the thread holds goes with it: of each row group
 * the compressed columns that are read, one group at a time.
 *
 * @param columns - Columns to read, such as `images` or `extra_info.question`; those that the file lacks are left out.
 * Null reads all.
 * @throws LensmithError `data` naming the file where it is missing or torn.
 */
export const openParquet = async (path: string, columns: readonly string[] | null = null): Promise<OpenParquet> => {
  const found = await stat(path).catch((cause: unknown) => {
    throw new LensmithError('data', 'expected a Parquet file, found none', { where: path, cause });
  });
  if (!found.isFile()) throw new LensmithError('data', 'expected a Parquet file, found a folder', { where: path });
  // The decoder's report of a panic goes to its standard error; the error that is thrown says what matters of it.
  const workerData: ParquetRequest = { path, columns };
  const thread = new Worker(join(import.meta.dirname, 'parquet-thread.ts'), {
    workerData,
    stderr: true,
    // What it allocates outside of the decoder is little and gone at once.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  const ask = async (send?: 'next'): Promise<ParquetReply> => {
    const reply = nextReply(thread);
    if (send !== undefined) thread.postMessage(send);
    try {
      const message = await reply;
      if (message.kind === 'failed') throw new Error(message.message);
      return message;
    } catch (cause) {
      throw unreadable(path, cause);
    }
  };
  const close = async (): Promise<void> => {
    await thread.terminate();
  };
  try {
    const opened = await ask();
    if (opened.kind !== 'opened') throw unreadable(path, 'the reader did not open it');
    return {
      rows: opened.rows,
      nextBatch: async () => {
        const reply = await ask('next');
        return reply.kind === 'batch' ? reply.stream : undefined;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
