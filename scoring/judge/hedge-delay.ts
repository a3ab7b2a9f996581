const remembered = 200;
const leastSamples = 20;
const share = 0.95;
/** What is late changes slowly: it is found anew after so many answers. */
const foundEvery = 10;
/** Hedges among all requests, at most: a server that became slow for everybody gets no second load. */
const mostHedges = 0.1;

/**
 * Says when a request is late: after the 95th percentile of the last ones (Dean and Barroso, The Tail at Scale, 2013).
 */
export const createHedgeDelay = () => {
  const durations: number[] = [];
  let late: number | null = null;
  let answers = 0;
  let requests = 0;
  let hedges = 0;
  return {
    /** A request begins; returns after how many milliseconds it is late, null while nobody can tell. */
    begin: (): number | null => {
      requests += 1;
      return late;
    },
    /** Whether a second request may be sent. */
    mayHedge: (): boolean => hedges + 1 <= Math.max(1, mostHedges * requests),
    hedged: (): void => {
      hedges += 1;
    },
    took: (ms: number): void => {
      durations.push(ms);
      if (durations.length > remembered) durations.shift();
      answers += 1;
      if (answers < leastSamples || answers % foundEvery > 0) return;
      const sorted = durations.toSorted((a, b) => a - b);
      late = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
    },
  };
};

export type HedgeDelay = ReturnType<typeof createHedgeDelay>;
