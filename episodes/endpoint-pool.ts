/** An episode's hold on an endpoint. */
export interface EndpointLease {
  readonly url: string;
  /** Says that the endpoint failed: others are preferred for a while. */
  fail(): void;
  release(): void;
}

const coolingMs = 10_000;

/**
 * Chooses the endpoint with the fewest episodes in flight; one that has failed within the last ten seconds comes last.
 *
 * @param urls - At least one base URL.
 */
export const createEndpointPool = (urls: readonly string[]): { lease(): EndpointLease } => {
  const endpoints = urls.map((url) => ({ url, inFlight: 0, failedAt: Number.NEGATIVE_INFINITY }));
  return {
    lease: () => {
      const now = performance.now();
      const cooling = (failedAt: number): number => Number(now - failedAt < coolingMs);
      const [chosen] = endpoints.toSorted(
        (a, b) => cooling(a.failedAt) - cooling(b.failedAt) || a.inFlight - b.inFlight,
      );
      if (!chosen) throw new RangeError('expected at least one endpoint, got none');
      chosen.inFlight += 1;
      let held = true;
      return {
        url: chosen.url,
        fail: () => {
          chosen.failedAt = performance.now();
        },
        release: () => {
          if (held) chosen.inFlight -= 1;
          held = false;
        },
      };
    },
  };
};
