import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { LensmithError } from '../domain/errors.ts';
import type { OpenRequest, ParquetReply, ParquetRequest } from './parquet-thread.ts';

/** A Parquet file that is open for reading. */
export interface OpenParquet {
  readonly rows: number;
  /** The next rows as an Arrow IPC stream of about 4 MiB; undefined after the last. One call at a time. */
  readonly nextBatch: () => Promise<Uint8Array<ArrayBuffer> | undefined>;
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
/** Milliseconds for which a thread that has only read a footer waits for the next file. */
const idleLimit = 5000;

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

const startThread = (): Worker =>
  new Worker(join(import.meta.dirname, 'parquet-thread.ts'), {
    // The decoder's report of a panic goes to its standard error; the error that is thrown says what matters of it.
    stderr: true,
    // What it allocates outside of the decoder is little and gone at once.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });

/** A thread that has only read footers: it holds next to nothing, and to start one takes longer than to read one. */
let idle: { readonly thread: Worker; readonly timer: NodeJS.Timeout } | undefined;

const takeThread = (): Worker => {
  if (!idle) return startThread();
  const { thread, timer } = idle;
  idle = undefined;
  clearTimeout(timer);
  thread.removeAllListeners('error').removeAllListeners('exit');
  thread.ref();
  return thread;
};

const giveThread = (thread: Worker): void => {
  if (idle) {
    void thread.terminate();
    return;
  }
  const forget = (): void => {
    if (idle?.thread === thread) idle = undefined;
    clearTimeout(timer);
    void thread.terminate();
  };
  const timer = setTimeout(forget, idleLimit).unref();
  thread.once('error', forget).once('exit', forget).unref();
  idle = { thread, timer };
};

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
  const thread = takeThread();
  const ask = async (request: ParquetRequest): Promise<ParquetReply> => {
    const reply = nextReply(thread);
    thread.postMessage(request);
    try {
      const message = await reply;
      if (message.kind === 'failed') throw new Error(message.message);
      return message;
    } catch (cause) {
      throw unreadable(path, cause);
    }
  };
  let use: 'opened' | 'read' | 'closed' = 'opened';
  try {
    const request: OpenRequest = { kind: 'open', path, columns };
    const opened = await ask(request);
    if (opened.kind !== 'opened') throw unreadable(path, 'the reader did not open it');
    return {
      rows: opened.rows,
      nextBatch: async () => {
        use = 'read';
        const reply = await ask({ kind: 'next' });
        return reply.kind === 'batch' ? reply.stream : undefined;
      },
      close: async () => {
        const before = use;
        use = 'closed';
        if (before === 'opened') giveThread(thread);
        // A thread that was given back is another file's by now.
        if (before === 'read') await thread.terminate();
      },
    };
  } catch (error) {
    await thread.terminate();
    throw error;
  }
};
