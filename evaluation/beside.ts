/** Work that goes on beside those who hand it over. */
export interface Beside {
  /** Begins the work, once there is a place for it, and does not wait for its end. */
  begin(work: () => Promise<void>): Promise<void>;
  /**
   * Resolves once all that was begun has ended.
   *
   * @throws What failed first.
   */
  ended(): Promise<void>;
}

/** At most `places` run at a time. At the first failure `stop` is called with its reason. */
export const createBeside = (places: number, stop: (reason: unknown) => void): Beside => {
  const running = new Set<Promise<void>>();
  const waiting: (() => void)[] = [];
  let free = places;
  let failure: { readonly reason: unknown } | undefined;
  const run = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (reason) {
      if (!failure) {
        failure = { reason };
        stop(reason);
      }
    }
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  return {
    begin: async (work) => {
      // A place that is given back goes to the one who has waited longest.
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      const one = run(work).finally(() => running.delete(one));
      running.add(one);
    },
    ended: async () => {
      await Promise.all(running);
      if (failure) throw failure.reason;
    },
  };
};
