import type { Pool, PoolHost } from './gpu-pool.ts';
import type { Placement } from './lease.ts';

/** What is free on a host, less what placements of the moment have taken. */
export interface Room {
  readonly host: PoolHost;
  /** GPUs that no lease holds and no process uses. */
  readonly gpus: readonly number[];
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Free stretches of ports, first and last, from low to high. */
  readonly ports: readonly [number, number][];
  /** Parts on the host by group, for those that must be apart. */
  readonly parts: readonly { readonly group: string; readonly part: string; readonly apart: readonly string[] }[];
}

const makeRoom = (host: PoolHost): Room => ({
  host,
  gpus: host.gpuFault === null ? host.gpus.flatMap(({ indices }) => indices).sort((a, b) => a - b) : [],
  cpus: host.cpus,
  memoryMiB: host.memoryMiB,
  ports: host.ports ? [[host.ports[0], host.ports[1]]] : [],
  parts: [],
});

const withoutPorts = (free: Room['ports'], [first, length]: readonly [number, number]): Room['ports'] => {
  const last = first + length - 1;
  return free.flatMap(([from, to]): [number, number][] => {
    if (last < from || first > to) return [[from, to]];
    return (
      [
        [from, first - 1],
        [last + 1, to],
      ] as [number, number][]
    ).filter(([a, b]) => a <= b);
  });
};

/** What is left of a host once a placement is taken out of it. */
export const without = (room: Room, group: string, { part, apart, gpus, cpus, memoryMiB, ports }: Placement): Room => ({
  host: room.host,
  gpus: room.gpus.filter((index) => !gpus.includes(index)),
  cpus: room.cpus - cpus,
  memoryMiB: room.memoryMiB - memoryMiB,
  ports: ports ? withoutPorts(room.ports, ports) : room.ports,
  parts: [...room.parts, { group, part, apart }],
});

const withoutBusy = (room: Room): Room => {
  const busy = new Set(room.host.gpus.flatMap((kind) => kind.busy));
  return busy.size === 0 ? room : { ...room, gpus: room.gpus.filter((index) => !busy.has(index)) };
};

/** Rooms by their hosts, which never change: a pool of a thousand of them looks at all with each request. */
const rooms = new WeakMap<PoolHost, { readonly whole: Room; readonly free: Room }>();

const roomsOf = (host: PoolHost): { readonly whole: Room; readonly free: Room } => {
  const known = rooms.get(host);
  if (known) return known;
  const whole = makeRoom(host);
  const made = { whole, free: withoutBusy(whole) };
  rooms.set(host, made);
  return made;
};

/** Every host as if nothing were leased on it: what a request could ever get. */
export const emptyRooms = (pool: Pool): Room[] => pool.hosts.map((host) => roomsOf(host).whole);

/**
 * What is free on each host now. A GPU that is in use without a lease belongs to someone else, or to a program that has
 * not ended yet: it is not free.
 */
export const freeRooms = (pool: Pool): Map<string, Room> => {
  const free = new Map(pool.hosts.map((host) => [host.name, roomsOf(host).free]));
  for (const { group, placements } of pool.leases)
    for (const placement of placements) {
      const room = free.get(placement.host);
      if (room) free.set(placement.host, without(room, group, placement));
    }
  return free;
};
