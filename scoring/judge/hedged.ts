/** A request that can be given up. */
export type Attempt<T> = (signal: AbortSignal) => Promise<T>;

/** Made once: left alone, each question would make an error with its stack, and mostly for nobody. */
const lost = new DOMException('another answer came first', 'AbortError');

/**
 * Makes one request, and a second one where the first is late. The first good answer counts and the other request is
 * given up; a bad answer counts where the other is bad too.
 *
 * @param second - Called when the first is late; undefined where there shall be no second one.
 */
export const hedged = async <T>(
  first: Attempt<T>,
  second: () => Attempt<T> | undefined,
  { afterMs, isGood, signal }: { afterMs: number | null; isGood: (answer: T) => boolean; signal: AbortSignal },
): Promise<T> => {
  const stop = new AbortController();
  // `AbortSignal.any` would take longer than all else of a question.
  const end = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let open = 1;
  const run = async (attempt: Attempt<T>): Promise<void> => {
    const answer = await attempt(stop.signal);
    open -= 1;
    if (isGood(answer) || open === 0) resolve(answer);
  };
  const timer =
    afterMs === null
      ? undefined
      : setTimeout(() => {
          const attempt = second();
          if (!attempt) return;
          open += 1;
          run(attempt).catch(reject);
        }, afterMs);
  run(first).catch(reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    if (open > 0) stop.abort(lost);
  }
};
