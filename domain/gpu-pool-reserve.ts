import { type PoolRequest, poolLimits } from './gpu-pool.ts';
import { fits, gpusFor } from './gpu-pool-place.ts';
import type { Room } from './gpu-pool-room.ts';
import type { LeasePart } from './lease.ts';
import { leastOf } from './least-of.ts';

const shortage = (room: Room, part: LeasePart): number =>
  Math.max(0, part.gpus - room.gpus.length) * 1000 + Math.max(0, part.cpus - room.cpus);

/** What is left of a host for others once a share of a part is set aside, free already or not. */
const setAside = (room: Room, group: string, part: LeasePart): Room => {
  const kept = new Set(gpusFor(room, part).slice(0, part.gpus));
  const block = room.ports.find(([first, last]) => last - first + 1 >= part.ports);
  const ports = room.ports.flatMap((stretch): [number, number][] => {
    if (part.ports === 0) return [stretch];
    // Where the block is not free yet, any port may become a piece of it.
    if (!block) return [];
    if (stretch !== block) return [stretch];
    const from = stretch[0] + part.ports;
    return from <= stretch[1] ? [[from, stretch[1]]] : [];
  });
  return {
    ...room,
    gpus: room.gpus.filter((index) => !kept.has(index)),
    cpus: Math.max(0, room.cpus - part.cpus),
    memoryMiB: Math.max(0, room.memoryMiB - part.memoryMiB),
    ports,
    // What must be apart from the part would keep it away as well.
    parts: [...room.parts, { group, part: part.name, apart: part.apart }],
  };
};

/**
 * Holds hosts free for a request that waits, and returns what is left of each host for those behind it.
 *
 * Held are the hosts that lack least, as many as the request needs, and twice as many after each `widenMs` of its wait:
 * a lease that never ends on the first choice cannot starve it. On a host that is held others get only what the request
 * would leave over, so that they cannot delay it there.
 *
 * @param rooms what is left for the request now
 * @param whole the same hosts as if nothing were leased
 */
export const holdRoom = (
  rooms: ReadonlyMap<string, Room>,
  whole: readonly Room[],
  request: PoolRequest,
  now: number,
): Map<string, Room> => {
  const left = new Map(rooms);
  const widening = 2 ** Math.min(20, Math.floor(Math.max(0, now - request.requestedAt) / poolLimits.widenMs));
  for (const part of request.parts) {
    const held = leastOf(
      whole
        .filter((room) => fits(room, request.group, part))
        .flatMap(({ host }) => rooms.get(host.name) ?? [])
        .map((room) => ({ room, lack: shortage(room, part) })),
      part.hosts * widening,
      (a, b) => a.lack - b.lack || (a.room.host.name < b.room.host.name ? -1 : 1),
    );
    for (const { room } of held)
      left.set(room.host.name, setAside(left.get(room.host.name) ?? room, request.group, part));
  }
  return left;
};
