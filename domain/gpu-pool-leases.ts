import { type Pool, type PoolChange, type PoolEnding, type PoolRequest, poolLimits } from './gpu-pool.ts';
import type { Lease, LeaseAnswer, LeaseEnding, LeaseRequest } from './lease.ts';

const leaseOf = (pool: Pool, id: string): Lease | undefined => pool.leases.find((lease) => lease.id === id);

/** What the pool says of an id now; undefined where it does not know it. */
export const answerFor = (pool: Pool, id: string): LeaseAnswer | undefined => {
  const lease = leaseOf(pool, id);
  if (lease) return { id, state: 'granted', lease };
  const place = pool.queue.findIndex((request) => request.id === id);
  const waiting = pool.queue[place];
  if (waiting) return { id, state: 'waiting', place: place + 1, reason: waiting.reason };
  const ending = pool.endings.findLast((candidate) => candidate.id === id);
  return ending && { id, state: 'ended', ending: ending.ending, reason: ending.reason };
};

const withEnding = (pool: Pool, ending: PoolEnding): Pool => ({
  ...pool,
  endings: [...pool.endings, ending].slice(-poolLimits.maxEndings),
});

const refuse = (pool: Pool, request: LeaseRequest, reason: string): PoolChange => ({
  pool,
  notices: [{ holder: request.holder, answer: { id: request.id, state: 'ended', ending: 'refused', reason } }],
});

const enqueue = (pool: Pool, request: LeaseRequest, now: number): Pool => {
  const ofGroup = pool.queue.filter(({ group }) => group === request.group).length;
  const order = now + (request.priority - 1) * poolLimits.priorityMs + ofGroup * poolLimits.groupMs;
  const waiting: PoolRequest = { ...request, requestedAt: now, order, reason: 'not looked at yet' };
  const after = pool.queue.findIndex((other) => other.order > order);
  const at = after === -1 ? pool.queue.length : after;
  return { ...pool, queue: [...pool.queue.slice(0, at), waiting, ...pool.queue.slice(at)] };
};

/**
 * Takes a request into the queue. Asked again under the same id it changes nothing and tells the holder where it
 * stands, also after the lease has ended: a repeated message never makes a second lease.
 */
export const requestLease = (pool: Pool, request: LeaseRequest, now: number): PoolChange => {
  const owner = leaseOf(pool, request.id) ?? pool.queue.find(({ id }) => id === request.id);
  if (owner && owner.holder !== request.holder)
    return refuse(pool, request, `the id "${request.id}" belongs to ${owner.holder}; ask under another one`);
  const known = answerFor(pool, request.id);
  if (known) return { pool, notices: [{ holder: request.holder, answer: known }] };
  if (pool.queue.length >= poolLimits.maxQueue)
    return refuse(pool, request, `the queue is full with ${pool.queue.length} requests; ask again later`);
  return { pool: enqueue(pool, request, now), notices: [] };
};

/** Ends a lease, or takes a request out of the queue; nothing where the id is neither. */
export const endLease = (pool: Pool, id: string, ending: LeaseEnding, reason: string, now: number): PoolChange => {
  const owner = leaseOf(pool, id) ?? pool.queue.find((request) => request.id === id);
  if (!owner) return { pool, notices: [] };
  const leases = pool.leases.filter((lease) => lease.id !== id);
  const queue = pool.queue.filter((request) => request.id !== id);
  return {
    pool: withEnding({ ...pool, leases, queue }, { id, ending, reason, at: now }),
    // Whoever gave it back knows, and a holder that has ended hears nothing.
    notices:
      ending === 'released' || ending === 'holder_ended'
        ? []
        : [{ holder: owner.holder, answer: { id, state: 'ended', ending, reason } }],
  };
};

/**
 * Gives a lease back, or gives up waiting for it. With a fence that is not the lease's, nothing happens: an owner of
 * yesterday cannot end the lease of today.
 */
export const releaseLease = (pool: Pool, id: string, fence: number | null, now: number): PoolChange => {
  const lease = leaseOf(pool, id);
  if (lease && fence !== null && lease.fence !== fence) return { pool, notices: [] };
  return endLease(pool, id, 'released', 'given back', now);
};

/** Puts off the expiry of leases whose holders have been seen. */
export const renewLeases = (pool: Pool, ids: readonly string[], now: number): Pool => {
  if (ids.length === 0) return pool;
  const renewed = new Set(ids);
  const leases = pool.leases.map((lease) =>
    renewed.has(lease.id) ? { ...lease, expiresAt: now + 1000 * lease.ttlSeconds } : lease,
  );
  return { ...pool, leases };
};
