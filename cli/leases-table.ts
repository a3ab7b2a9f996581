import Table from 'cli-table3';
import type { Pool } from '../domain/gpu-pool.ts';
import type { Lease, Placement } from '../domain/lease.ts';
import { minutesText } from './minutes-text.ts';

const duration = (ms: number): string => minutesText(Math.max(0, Math.round(ms / 60_000)));

const share = ({ part, host, gpus, cpus, ports }: Placement): string =>
  [
    `${part} on ${host}:`,
    gpus.length > 0 ? `GPU ${gpus.join(',')}` : `${cpus} slots`,
    ...(ports ? [`ports ${ports[0]}-${ports[0] + ports[1] - 1}`] : []),
  ].join(' ');

const wish = ({ parts }: Pool['queue'][number]): string =>
  parts
    .map(({ name, hosts, gpus, cpus }) => `${name}: ${hosts} × ${gpus > 0 ? `${gpus} GPUs` : `${cpus} slots`}`)
    .join('\n');

const newTable = (head: string[]) => new Table({ head, style: { head: [], border: [] }, wordWrap: true });

const held = (leases: readonly Lease[], now: number): string => {
  const table = newTable(['lease', 'holder', 'fence', 'holds', 'held for', 'expires in']);
  for (const lease of leases)
    table.push([
      lease.id,
      lease.holder,
      String(lease.fence),
      lease.placements.map(share).join('\n'),
      duration(now - lease.grantedAt),
      duration(lease.expiresAt - now),
    ]);
  return table.toString();
};

const waiting = (pool: Pool, now: number): string => {
  const table = newTable(['place', 'request', 'holder', 'priority', 'asks for', 'waits for', 'reason']);
  table.options.colWidths = [null, null, null, null, null, null, 60];
  for (const [index, request] of pool.queue.entries())
    table.push([
      String(index + 1),
      request.id,
      request.holder,
      String(request.priority),
      wish(request),
      duration(now - request.requestedAt),
      request.reason,
    ]);
  return table.toString();
};

/** What is leased to whom, and who waits for what and why, for a terminal. */
export const leasesTable = (pool: Pool, now: number): string => {
  const leases = [...pool.leases].sort((a, b) => a.fence - b.fence);
  return [
    leases.length > 0 ? held(leases, now) : 'nothing is leased',
    pool.queue.length > 0 ? waiting(pool, now) : 'nobody waits',
  ].join('\n');
};
