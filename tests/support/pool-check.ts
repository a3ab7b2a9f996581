import type { Pool } from '../../domain/gpu-pool.ts';
import type { Lease, Placement } from '../../domain/lease.ts';

const overlap = (a: readonly [number, number], b: readonly [number, number]): boolean =>
  a[0] < b[0] + b[1] && b[0] < a[0] + a[1];

const clash = (a: Placement, b: Placement): string | undefined => {
  const gpu = a.gpus.find((index) => b.gpus.includes(index));
  if (gpu !== undefined) return `GPU ${gpu} of ${a.host} is leased twice`;
  return a.ports && b.ports && overlap(a.ports, b.ports) ? `ports of ${a.host} are leased twice` : undefined;
};

const together = (first: Lease, a: Placement, second: Lease, b: Placement): boolean =>
  first.group === second.group && (a.apart.includes(b.part) || b.apart.includes(a.part));

/**
 * What is wrong with a pool: GPUs and ports leased twice, slots and memory beyond what a host has, parts together that
 * must be apart, fences used twice. Written apart from the scheduler, over pairs of placements.
 */
export const poolFaults = (pool: Pool): string[] => {
  const faults: string[] = [];
  const { leases } = pool;
  if (new Set(leases.map(({ fence }) => fence)).size !== leases.length) faults.push('two leases have one fence');
  const byHost = new Map<string, { lease: Lease; placement: Placement }[]>();
  for (const lease of leases)
    for (const placement of lease.placements)
      byHost.set(placement.host, [...(byHost.get(placement.host) ?? []), { lease, placement }]);
  for (const [name, held] of byHost) {
    const host = pool.hosts.find((one) => one.name === name);
    if (!host) {
      faults.push(`${name} is not in the pool`);
      continue;
    }
    const sum = (key: 'cpus' | 'memoryMiB'): number => held.reduce((total, { placement }) => total + placement[key], 0);
    if (sum('cpus') > host.cpus) faults.push(`${name}: more slots than there are`);
    if (sum('memoryMiB') > host.memoryMiB) faults.push(`${name}: more memory than there is`);
    for (const [index, a] of held.entries()) {
      if (a.placement.gpus.some((gpu) => !host.gpus.some(({ indices }) => indices.includes(gpu))))
        faults.push(`${name}: a GPU that is not there`);
      for (const b of held.slice(index + 1)) {
        const fault = clash(a.placement, b.placement);
        if (fault) faults.push(fault);
        if (together(a.lease, a.placement, b.lease, b.placement)) faults.push(`${name}: together, not apart`);
      }
    }
  }
  return faults;
};
