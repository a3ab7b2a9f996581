import Table from 'cli-table3';
import type { Pool, PoolHost } from '../domain/gpu-pool.ts';
import { leasesOn } from '../domain/gpu-pool-hosts.ts';
import { freeRooms } from '../domain/gpu-pool-room.ts';
import { takesLeases } from '../domain/gpu-pool-schedule.ts';

/** What a host is to the pool at a moment. */
export const hostState = (host: PoolHost, now: number): 'lost' | 'late' | 'draining' | 'ready' => {
  if (host.lost) return 'lost';
  if (host.draining) return 'draining';
  return takesLeases(host, now) ? 'ready' : 'late';
};

const gibibytes = (mebibytes: number): string => `${(mebibytes / 1024).toFixed(1)} GiB`;

const models = ({ gpus }: PoolHost): string => gpus.map(({ model }) => model).join(', ');

const countGpus = ({ gpus }: PoolHost): number => gpus.reduce((sum, { indices }) => sum + indices.length, 0);

const notes = (host: PoolHost): string =>
  [
    host.gpuFault ?? '',
    ...Object.entries(host.labels).map(([key, value]) => `${key}=${value}`),
    ...(host.programs.length > 0 ? [`runs ${host.programs.join(', ')}`] : []),
  ]
    .filter((note) => note !== '')
    .join('; ');

/** The hosts of the pool for a terminal: what each has, what of it is free, when it was heard and what runs there. */
export const hostsTable = (pool: Pool, now: number): string => {
  const rooms = freeRooms(pool);
  const table = new Table({
    head: ['host', 'state', 'heard', 'GPUs free', 'model', 'slots free', 'memory free', 'disk free', 'leases', 'notes'],
    style: { head: [], border: [] },
    colWidths: [...Array<null>(9).fill(null), 48],
    wordWrap: true,
  });
  for (const host of [...pool.hosts].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const room = rooms.get(host.name);
    table.push([
      host.name,
      hostState(host, now),
      `${Math.max(0, Math.round((now - host.seenAt) / 1000))} s ago`,
      `${room?.gpus.length ?? 0} of ${countGpus(host)}`,
      models(host),
      `${room?.cpus ?? 0} of ${host.cpus}`,
      gibibytes(host.freeMemoryMiB),
      gibibytes(host.freeDiskMiB),
      String(leasesOn(pool, host.name).length),
      notes(host),
    ]);
  }
  return table.toString();
};
