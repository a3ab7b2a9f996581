import {
  latenessOf,
  type Pool,
  type PoolChange,
  type PoolHost,
  type PoolNotice,
  type PoolRequest,
  poolLimits,
} from './gpu-pool.ts';
import { place } from './gpu-pool-place.ts';
import { holdRoom } from './gpu-pool-reserve.ts';
import { emptyRooms, freeRooms, type Room, without } from './gpu-pool-room.ts';
import type { Lease, LeaseRequest, Placement } from './lease.ts';

/** Whether a host takes part at all: it will again be offered what is given back on it. */
const takesPart = (host: PoolHost): boolean => !host.lost && !host.draining;

/** Whether a host may get a new lease now. */
export const takesLeases = (host: PoolHost, now: number): boolean =>
  takesPart(host) && now - host.seenAt <= latenessOf(host);

/**
 * Requests of one shape fare alike in one pass. The group matters only where parts must be apart from what the group
 * holds already.
 */
const shapeOf = ({ parts, group }: LeaseRequest, holding: ReadonlySet<string>): string =>
  JSON.stringify([parts, holding.has(group) && group]);

const leaseOf = (request: PoolRequest, placements: Placement[], fence: number, now: number): Lease => ({
  id: request.id,
  group: request.group,
  holder: request.holder,
  purpose: request.purpose,
  priority: request.priority,
  fence,
  placements,
  ttlSeconds: request.ttlSeconds,
  requestedAt: request.requestedAt,
  grantedAt: now,
  expiresAt: now + 1000 * request.ttlSeconds,
});

/** What is free, and what of it is left once room is held for those that wait longer. */
interface Offer {
  readonly real: Map<string, Room>;
  left: Map<string, Room>;
  readonly held: string[];
}

const grant = ({ real, left, held }: Offer, request: PoolRequest): Placement[] | string => {
  const placed = place([...left.values()], request);
  if (placed.placements) {
    for (const placement of placed.placements) {
      const room = real.get(placement.host);
      if (room) real.set(placement.host, without(room, request.group, placement));
    }
    for (const [host, room] of placed.rooms) left.set(host, room);
    return placed.placements;
  }
  if (held.length === 0) return placed.reason;
  const alone = place([...real.values()], request);
  return alone.placements
    ? `the room that there is is held for those who wait longer: ${held.join(', ')}`
    : alone.reason;
};

const full = `the pool holds its ${poolLimits.maxPlacements} placements; it serves the next as leases end`;
const notTried = 'many others of other kinds are before it; it has not been tried yet';

/**
 * Serves the queue: whoever is first and finds room gets it. For the first ones that find none, room is held; those
 * behind them get what they leave over. A request that no host could serve even if nothing were leased holds up nobody.
 *
 * Every request that stays in the queue carries the reason of its wait afterwards.
 */
export const schedule = (pool: Pool, now: number): PoolChange => {
  if (pool.queue.length === 0) return { pool, notices: [] };
  const usable = (room: Room): boolean => takesLeases(room.host, now);
  const real = new Map([...freeRooms(pool)].filter(([, room]) => usable(room)));
  const whole = emptyRooms(pool).filter(({ host }) => takesPart(host));
  const offer: Offer = { real, left: new Map(real), held: [] };
  const leases = [...pool.leases];
  const holding = new Set(leases.map(({ group }) => group));
  const notices: PoolNotice[] = [];
  const queue: PoolRequest[] = [];
  const failed = new Map<string, string>();
  let { nextFence } = pool;
  /** Shapes that found no room; those that could never be served do not count, or they would shut all others out. */
  let blocked = 0;
  let spare = poolLimits.maxPlacements - leases.reduce((sum, { placements }) => sum + placements.length, 0);

  const outcomeOf = (request: PoolRequest, known: string | undefined): Placement[] | string => {
    if (known !== undefined) return known;
    const needs = request.parts.reduce((sum, { hosts }) => sum + hosts, 0);
    if (needs > spare) {
      // Smaller ones behind it must not take what it waits for.
      if (needs <= poolLimits.maxPlacements) spare = 0;
      return full;
    }
    return blocked < poolLimits.maxShapes ? grant(offer, request) : notTried;
  };

  for (const request of pool.queue) {
    const shape = shapeOf(request, holding);
    const known = failed.get(shape);
    const outcome = outcomeOf(request, known);
    if (typeof outcome !== 'string') {
      const lease = leaseOf(request, outcome, nextFence, now);
      nextFence += 1;
      leases.push(lease);
      holding.add(lease.group);
      spare -= lease.placements.length;
      notices.push({ holder: lease.holder, answer: { id: lease.id, state: 'granted', lease } });
      continue;
    }
    let reason = outcome;
    if (known === undefined && outcome !== notTried && outcome !== full) {
      const ever = place(whole, request);
      if (!ever.placements) reason = `no host that is here could serve it, even with nothing leased: ${ever.reason}`;
      else blocked += 1;
      if (ever.placements && offer.held.length < poolLimits.maxHeld) {
        offer.left = holdRoom(offer.left, whole, request, now);
        offer.held.push(request.id);
      }
      failed.set(shape, reason);
    }
    queue.push(reason === request.reason ? request : { ...request, reason });
  }
  return { pool: { ...pool, nextFence, leases, queue }, notices };
};
