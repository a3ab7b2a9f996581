export interface RequestLimitOptions {
  readonly maxInFlight: number;
  /** @default no limit */
  readonly perMinute?: number;
}

/** Lets requests in: so many at once, so many a minute (spaced evenly, with a second's worth at once), in their order. */
export const createRequestLimit = ({ maxInFlight, perMinute = Number.POSITIVE_INFINITY }: RequestLimitOptions) => {
  const spacingMs = 60_000 / perMinute;
  const burstMs = Math.max(0, 1000 - spacingMs);
  const waiting: (() => void)[] = [];
  let inFlight = 0;
  /** When the next request is due if they came evenly. */
  let dueAt = 0;
  let timer: NodeJS.Timeout | undefined;

  const admit = (): boolean => {
    const now = performance.now();
    if (inFlight >= maxInFlight || now < dueAt - burstMs) return false;
    dueAt = Math.max(now, dueAt) + spacingMs;
    inFlight += 1;
    return true;
  };

  const next = (): void => {
    clearTimeout(timer);
    timer = undefined;
    while (waiting.length > 0 && admit()) waiting.shift()?.();
    if (waiting.length === 0 || inFlight >= maxInFlight) return;
    timer = setTimeout(next, Math.max(1, Math.ceil(dueAt - burstMs - performance.now())));
  };

  const leave = (): (() => void) => {
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      inFlight -= 1;
      next();
    };
  };

  return {
    /** A place, when it is the caller's turn; what it returns gives the place back. */
    enter: async (): Promise<() => void> => {
      if (waiting.length > 0 || !admit())
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          next();
        });
      return leave();
    },
    /** For one more request from a place: milliseconds after which it is due. */
    again: (): number => {
      const now = performance.now();
      const waitMs = Math.max(0, dueAt - burstMs - now);
      dueAt = Math.max(now, dueAt) + spacingMs;
      return waitMs;
    },
    /** A place, if there is one now. */
    tryEnter: (): (() => void) | undefined => (waiting.length === 0 && admit() ? leave() : undefined),
  };
};

export type RequestLimit = ReturnType<typeof createRequestLimit>;
