import { type Pool, type PoolChange, type PoolNotice, poolLimits, silenceOf } from './gpu-pool.ts';
import { leasesOn, withHost } from './gpu-pool-hosts.ts';
import { endLease } from './gpu-pool-leases.ts';

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** While the pool itself was away nobody could be heard: the time of its absence counts against nobody. */
const forgiveAbsence = (pool: Pool, now: number): Pool => {
  const absence = now - pool.lookedAt - poolLimits.lookMs;
  if (absence <= poolLimits.lookMs) return pool;
  const hosts = pool.hosts.map((host) => ({ ...host, seenAt: host.seenAt + absence }));
  const leases = pool.leases.map((lease) => ({ ...lease, expiresAt: lease.expiresAt + absence }));
  return { ...pool, hosts, leases };
};

const waitEnds = (request: Pool['queue'][number]): number =>
  request.waitSeconds === null ? Number.POSITIVE_INFINITY : request.requestedAt + 1000 * request.waitSeconds;

/**
 * Looks at the clock: ends leases that have expired and those of hosts that have been silent for too long, and waits
 * that are over. Called before anything else is done to the pool at a moment.
 */
export const look = (before: Pool, now: number): PoolChange => {
  if (before.lookedAt === now) return { pool: before, notices: [] };
  let pool: Pool = { ...forgiveAbsence(before, now), lookedAt: now };
  const notices: PoolNotice[] = [];
  const end = (...args: [id: string, ending: 'expired' | 'host_lost' | 'wait_over', reason: string]): void => {
    const change = endLease(pool, ...args, now);
    pool = change.pool;
    notices.push(...change.notices);
  };
  for (const host of pool.hosts) {
    if (host.lost || now - host.seenAt < silenceOf(host)) continue;
    for (const { id } of leasesOn(pool, host.name))
      end(id, 'host_lost', `${host.name} has not been heard for ${seconds(now - host.seenAt)}`);
    pool = withHost(pool, { ...host, lost: true });
  }
  for (const { id, expiresAt, ttlSeconds, holder } of pool.leases)
    if (now >= expiresAt) end(id, 'expired', `no sign of ${holder} for ${ttlSeconds} s`);
  for (const request of pool.queue)
    if (now >= waitEnds(request)) end(request.id, 'wait_over', `after ${request.waitSeconds} s: ${request.reason}`);
  return { pool, notices };
};

/** When the pool has to look again though nobody calls; infinite while it is empty. */
export const nextLook = (pool: Pool): number => {
  if (pool.hosts.length === 0 && pool.queue.length === 0) return Number.POSITIVE_INFINITY;
  return Math.min(
    pool.lookedAt + poolLimits.lookMs,
    ...pool.hosts.flatMap((host) =>
      host.silenceSeconds === undefined || host.lost ? [] : [host.seenAt + silenceOf(host)],
    ),
    ...pool.queue.map(waitEnds),
    ...pool.leases.map(({ expiresAt }) => expiresAt),
  );
};
