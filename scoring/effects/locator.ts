import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Episode } from '../../domain/episode.ts';
import { LensmithError } from '../../domain/errors.ts';
import type { ImageLocations } from '../../domain/image-location.ts';
import type { LocateReply, LocateRequest } from './locate-thread.ts';

/** Looks at the pixels of episodes in a thread of its own, for a large image takes a good part of a second. */
export interface Locator {
  /**
   * Where the images of an episode come from (`locateImages`).
   *
   * @throws LensmithError `infrastructure` where the thread dies or takes longer than the limit for one episode.
   */
  readonly locate: (
    episode: Pick<Episode, 'inputImages' | 'turns'>,
    images: ReadonlyMap<string, Uint8Array>,
  ) => Promise<ImageLocations>;
  readonly close: () => Promise<void>;
}

interface Waiting {
  readonly resolve: (locations: ImageLocations) => void;
  readonly reject: (error: LensmithError) => void;
  readonly timer: NodeJS.Timeout;
}

/** A locator; its thread starts at the first call and again after a death, and keeps no process alive. */
export const createLocator = ({ seconds = 60 }: { seconds?: number } = {}): Locator => {
  const waiting = new Map<number, Waiting>();
  let thread: Worker | undefined;
  let next = 0;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  const fail = (worker: Worker, message: string, cause?: unknown): void => {
    if (thread !== worker) return;
    thread = undefined;
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(new LensmithError('infrastructure', `the thread that looks at images ${message}`, { cause }));
    }
    waiting.clear();
    void worker.terminate();
  };

  const start = (): Worker => {
    const worker = new Worker(join(import.meta.dirname, 'locate-thread.ts'), { execArgv: [] });
    worker.on('message', ({ id, locations }: LocateReply) => {
      const entry = waiting.get(id);
      if (!entry) return;
      waiting.delete(id);
      clearTimeout(entry.timer);
      entry.resolve(locations);
    });
    worker.on('error', (error) => fail(worker, `failed: ${String(error)}`, error));
    worker.on('exit', () => fail(worker, 'ended'));
    // After the listeners, for each of them takes the process hostage again; while an answer is awaited its timer holds it.
    worker.unref();
    return worker;
  };

  const ask: Locator['locate'] = (episode, images) =>
    new Promise((resolve, reject) => {
      if (closed) {
        reject(new LensmithError('infrastructure', 'the thread that looks at images was closed'));
        return;
      }
      thread ??= start();
      const worker = thread;
      const id = next++;
      const timer = setTimeout(() => fail(worker, `gave no answer in ${seconds} s`), seconds * 1000);
      waiting.set(id, { resolve, reject, timer });
      worker.postMessage({ id, episode, images } satisfies LocateRequest);
    });

  return {
    // One at a time, so that the limit is for one episode and not for all that wait before it.
    locate: (episode, images) => {
      const located = last.then(() => ask(episode, images));
      last = located.catch(() => undefined);
      return located;
    },
    close: async () => {
      closed = true;
      const worker = thread;
      if (worker) fail(worker, 'was closed');
      await worker?.terminate();
    },
  };
};
