import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';
import type { Endpoint } from './endpoint.ts';

/** An episode's hold on an endpoint. */
export interface EndpointLease {
  readonly endpoint: Endpoint;
  release(): void;
}

/** An endpoint, or why there is none: `refused` for good, `away` for now. */
export type LeaseReply =
  | { readonly kind: 'lease'; readonly lease: EndpointLease }
  | { readonly kind: 'refused'; readonly error: LensmithError }
  | { readonly kind: 'away'; readonly message: string };

/** Endpoints that a turn was sent to in vain. */
export interface TriedEndpoints {
  /** Has just failed; taken only where there is no other. */
  readonly failed: Endpoint | undefined;
  /** Have refused the turn, and are not taken. */
  readonly refused: ReadonlyMap<Endpoint, unknown>;
}

export interface EndpointPool {
  /**
   * Chooses an endpoint for an episode: the one with the least load.
   *
   * @param until - `performance.now()` up to which one is waited for.
   * @param tried - What has failed already: one that fails fast always has the least load.
   */
  lease(until: number, signal: AbortSignal, tried?: TriedEndpoints): Promise<LeaseReply>;
  readonly endpoints: readonly Endpoint[];
}

/**
 * Episodes that an endpoint would have, weighed by how much slower it answers than the fastest one. Weights are whole
 * numbers, so that endpoints of like speed are told apart by their episodes alone.
 */
const load = (endpoint: Endpoint, fastestMs: number): number => {
  const slower = endpoint.limit.meanMs && fastestMs ? Math.round(endpoint.limit.meanMs / fastestMs) : 1;
  return (endpoint.episodes + 1) * Math.min(16, Math.max(1, slower));
};

const least = (endpoints: readonly Endpoint[]): Endpoint | undefined => {
  const times = endpoints.map(({ limit }) => limit.meanMs).filter((ms) => ms > 0);
  const fastestMs = times.length ? Math.min(...times) : 0;
  const [first, ...others] = endpoints;
  if (!first) return undefined;
  return others.reduce((best, other) => (load(other, fastestMs) < load(best, fastestMs) ? other : best), first);
};

const leaseOf = (endpoint: Endpoint): EndpointLease => {
  endpoint.episodes += 1;
  let held = true;
  return {
    endpoint,
    release: () => {
      if (held) endpoint.episodes -= 1;
      held = false;
    },
  };
};

const refusalOf = (endpoints: readonly Endpoint[]): LensmithError | undefined => {
  const refusals = endpoints.map(({ refusal }) => refusal);
  const [first] = refusals;
  if (!first || refusals.includes(undefined)) return undefined;
  return new LensmithError(first.type, refusals.map((refusal) => refusal?.message).join('\n'), {
    where: endpoints.map(({ url }) => url).join(', '),
  });
};

const noneTried: TriedEndpoints = { failed: undefined, refused: new Map() };

/** A pool of at least one endpoint. */
export const createEndpointPool = (endpoints: readonly Endpoint[]): EndpointPool => {
  if (endpoints.length === 0) throw new LensmithError('config', 'expected at least one endpoint, got none');

  /** Looks at those that are due, and says which of them the caller has to wait for. */
  const lookAtDue = (): Promise<void>[] => {
    const now = performance.now();
    return endpoints.filter(({ dueAt }) => dueAt <= now).map((endpoint) => endpoint.look());
  };

  const lease: EndpointPool['lease'] = async (until, signal, { failed, refused } = noneTried) => {
    for (;;) {
      const unchecked = endpoints.some(({ dueAt }) => dueAt === 0);
      const looks = lookAtDue();
      // The first choice is among all; a server that comes back is waited for only where there is no other.
      if (unchecked || (looks.length && !endpoints.some(({ isUp }) => isUp))) await Promise.all(looks);
      const up = endpoints.filter((endpoint) => endpoint.isUp && !refused.has(endpoint));
      const good = up.filter((endpoint) => !endpoint.isHeld && endpoint !== failed);
      const chosen = least(good.length ? good : up);
      if (chosen) return { kind: 'lease', lease: leaseOf(chosen) };
      const error = refusalOf(endpoints);
      if (error) return { kind: 'refused', error };
      const due = Math.min(...endpoints.map(({ dueAt }) => dueAt));
      const now = performance.now();
      if (signal.aborted || now >= until)
        return {
          kind: 'away',
          message: `no endpoint is up: ${endpoints.map(({ url, reason }) => `${url}: ${reason}`).join('; ')}`,
        };
      await delay(Math.max(1, Math.min(due, until) - now), undefined, { signal }).catch(() => undefined);
    }
  };

  return { endpoints, lease };
};
