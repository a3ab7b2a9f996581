import { type Room, without } from './gpu-pool-room.ts';
import type { LeasePart, LeaseRequest, Placement } from './lease.ts';
import { leastOf } from './least-of.ts';

/** What hinders a part on a host, in the words of a reason; the first that hinders counts. */
const hindrances = [
  'the wrong host or labels',
  'too few free GPUs',
  'too few free processor slots',
  'too little memory',
  'too little free disk',
  'too few free ports',
  'another part that must be apart',
] as const;

const suits = ({ host }: Room, { host: name, labels }: LeasePart): boolean => {
  if (name !== null && name !== host.name) return false;
  for (const key in labels) if (host.labels[key] !== labels[key]) return false;
  return true;
};

const mustBeApart = (room: Room, group: string, part: LeasePart): boolean =>
  room.parts.some(
    (other) => other.group === group && (part.apart.includes(other.part) || other.apart.includes(part.name)),
  );

/** Free GPUs of a host that have the memory which a part asks for. */
export const gpusFor = (room: Room, { gpuMemoryMiB }: LeasePart): readonly number[] => {
  const kinds = room.host.gpus;
  if (kinds.every(({ memoryMiB }) => memoryMiB >= gpuMemoryMiB)) return room.gpus;
  return room.gpus.filter((index) =>
    kinds.some(({ memoryMiB, indices }) => memoryMiB >= gpuMemoryMiB && indices.includes(index)),
  );
};

const portsFor = (room: Room, length: number): number | undefined =>
  room.ports.find(([first, last]) => last - first + 1 >= length)?.[0];

const hindrance = (room: Room, group: string, part: LeasePart): number => {
  if (!suits(room, part)) return 0;
  if (gpusFor(room, part).length < part.gpus) return 1;
  if (room.cpus < part.cpus) return 2;
  if (room.memoryMiB < part.memoryMiB) return 3;
  if (room.host.freeDiskMiB < part.diskMiB) return 4;
  if (part.ports > 0 && portsFor(room, part.ports) === undefined) return 5;
  if (mustBeApart(room, group, part)) return 6;
  return -1;
};

/** Whether one share of a part fits into what is free on a host. */
export const fits = (room: Room, group: string, part: LeasePart): boolean => hindrance(room, group, part) < 0;

/** The share of a part on a host where it fits: the lowest GPUs and the lowest block of ports. */
export const placementOn = (room: Room, part: LeasePart): Placement => {
  const first = part.ports > 0 ? portsFor(room, part.ports) : undefined;
  return {
    part: part.name,
    host: room.host.name,
    gpus: gpusFor(room, part).slice(0, part.gpus),
    cpus: part.cpus,
    memoryMiB: part.memoryMiB,
    ports: first === undefined ? null : [first, part.ports],
    apart: part.apart,
  };
};

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const explain = (rooms: readonly Room[], group: string, part: LeasePart, found: number): string => {
  const counts = hindrances.map(() => 0);
  for (const room of rooms) {
    const index = hindrance(room, group, part);
    if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
  }
  const why = hindrances.flatMap((text, index) => (counts[index] ? [`${counts[index]} with ${text}`] : []));
  const share = part.gpus > 0 ? plural(part.gpus, 'GPU') : plural(part.cpus, 'processor slot');
  return (
    `${part.name} needs ${plural(part.hosts, 'host')} with ${share}; ${found} of ${plural(rooms.length, 'host')} ` +
    `${found === 1 ? 'has' : 'have'} the room${why.length > 0 ? ` (${why.join(', ')})` : ''}`
  );
};

export type Placed =
  | { readonly placements: Placement[]; readonly rooms: ReadonlyMap<string, Room> }
  | { readonly placements: null; readonly reason: string };

const placeInOrder = (rooms: readonly Room[], request: LeaseRequest, parts: readonly LeasePart[]): Placed => {
  const changed = new Map<string, Room>();
  const placements: Placement[] = [];
  for (const part of parts) {
    const now = changed.size === 0 ? rooms : rooms.map((room) => changed.get(room.host.name) ?? room);
    // The fullest host that fits keeps whole hosts free for those who need them.
    const chosen = leastOf(
      now.filter((room) => fits(room, request.group, part)),
      part.hosts,
      (a, b) => a.gpus.length - b.gpus.length || a.cpus - b.cpus || (a.host.name < b.host.name ? -1 : 1),
    );
    if (chosen.length < part.hosts)
      return { placements: null, reason: explain(now, request.group, part, chosen.length) };
    for (const room of chosen) {
      const placement = placementOn(room, part);
      changed.set(room.host.name, without(room, request.group, placement));
      placements.push(placement);
    }
  }
  return { placements, rooms: changed };
};

/**
 * Finds room for all parts of a request at once. Returns the placements and the rooms that they change, which the
 * caller puts in the place of the old ones, or what is missing.
 *
 * The parts are tried as asked and then with each of them first, because an undemanding part may take the only host
 * that suits another.
 */
export const place = (rooms: readonly Room[], request: LeaseRequest): Placed => {
  const { parts } = request;
  const first = placeInOrder(rooms, request, parts);
  if (first.placements) return first;
  for (const part of parts.slice(1)) {
    const other = placeInOrder(rooms, request, [part, ...parts.filter((another) => another !== part)]);
    if (other.placements) return other;
  }
  return first;
};
