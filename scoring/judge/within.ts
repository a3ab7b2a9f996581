import { setTimeout as delay } from 'node:timers/promises';

/** What the work gives, or `late` where it takes longer than so many milliseconds; the work goes on in any case. */
export const within = async <T>(ms: number, work: Promise<T>, late: T): Promise<T> => {
  const timer = new AbortController();
  const over = delay(ms, late, { signal: timer.signal, ref: false }).catch(() => late);
  try {
    return await Promise.race([work, over]);
  } finally {
    timer.abort();
  }
};
