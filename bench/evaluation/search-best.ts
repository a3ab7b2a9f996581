/** A try of one client with so many samples at a time. */
export interface Try {
  readonly workers: number;
  /** Samples a second; 0 where not all were answered. */
  readonly rate: number;
}

/** A step must be this much better to count: what is less may be the machine. */
const leastGain = 1.02;

/**
 * Finds how many at a time suits a client best: up from `start` as long as that is better, and where the first step up
 * is not, down. A client's rate has one peak, so that what lies behind a worse one is not tried.
 *
 * @param ladder - The numbers that may be tried, rising.
 */
export const searchBest = async (
  ladder: readonly number[],
  start: number,
  attempt: (workers: number) => Promise<Try | undefined>,
): Promise<Try | undefined> => {
  const first = await attempt(start);
  let best = first;
  const climb = async (steps: readonly number[]): Promise<void> => {
    for (const workers of steps) {
      const next = await attempt(workers);
      if (!next || next.rate < (best?.rate ?? 0) * leastGain) return;
      best = next;
    }
  };
  await climb(ladder.filter((workers) => workers > start));
  if (best === first) await climb(ladder.filter((workers) => workers < start).reverse());
  return best && best.rate > 0 ? best : undefined;
};
