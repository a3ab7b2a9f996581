import { LensmithError } from './errors.ts';
import {
  latenessOf,
  type Pool,
  type PoolChange,
  type PoolGpus,
  type PoolHost,
  type PoolNotice,
  poolLimits,
  silenceOf,
} from './gpu-pool.ts';
import { endLease, renewLeases } from './gpu-pool-leases.ts';
import type { Lease } from './lease.ts';
import type { HostReport } from './lease-host.ts';

/** What a host learns from its report. */
export interface HostOrders {
  /** Leases on this host: what runs there without one of them may go. */
  readonly leases: readonly Pick<Lease, 'id' | 'group' | 'holder' | 'fence'>[];
  /** When to report again. */
  readonly renewSeconds: number;
}

/** A pool of many hosts hears each of them less often, so that its work an hour stays bounded. */
export const renewSecondsFor = (hosts: number): number => Math.max(15, Math.ceil(hosts / 20));

const hostOf = (pool: Pool, name: string): PoolHost | undefined => pool.hosts.find((host) => host.name === name);

/** The pool with a host of this name replaced, or added at the end. */
export const withHost = (pool: Pool, host: PoolHost): Pool => ({
  ...pool,
  hosts: hostOf(pool, host.name)
    ? pool.hosts.map((other) => (other.name === host.name ? host : other))
    : [...pool.hosts, host],
});

const kindsOf = (gpus: HostReport['gpus']): PoolGpus[] => {
  const kinds = new Map<string, HostReport['gpus']>();
  for (const gpu of gpus) {
    const key = `${gpu.model}/${gpu.memoryMiB}`;
    kinds.set(key, [...(kinds.get(key) ?? []), gpu]);
  }
  return [...kinds.values()].flatMap((alike) => {
    const [first] = alike;
    if (!first) return [];
    const busy = alike.filter((gpu) => gpu.busy).map(({ index }) => index);
    return [{ model: first.model, memoryMiB: first.memoryMiB, indices: alike.map(({ index }) => index), busy }];
  });
};

/** Leases that hold something on a host. */
export const leasesOn = (pool: Pool, host: string): Lease[] =>
  pool.leases.filter(({ placements }) => placements.some((placement) => placement.host === host));

/** Reports that a host can miss in a row before it counts as lost. */
const reportsInSilence = 6;

export const ordersFor = (pool: Pool, name: string): HostOrders => {
  const host = hostOf(pool, name);
  const usual = renewSecondsFor(pool.hosts.length);
  return {
    leases: leasesOn(pool, name).map(({ id, group, holder, fence }) => ({ id, group, holder, fence })),
    renewSeconds: host ? Math.max(1, Math.min(usual, Math.floor(silenceOf(host) / 1000 / reportsInSilence))) : usual,
  };
};

/** @throws LensmithError `config` where the report may not be taken in. */
export const checkReport = (pool: Pool, report: HostReport, now: number): void => {
  const known = hostOf(pool, report.name);
  if (!known && pool.hosts.length >= poolLimits.maxHosts)
    throw new LensmithError('config', `the pool holds its ${poolLimits.maxHosts} hosts already; remove some`, {
      where: 'hosts',
    });
  if (known && known.machine !== report.machine && !known.lost && now - known.seenAt <= latenessOf(known))
    throw new LensmithError(
      'config',
      `another machine reports as "${report.name}" and was heard ${Math.round((now - known.seenAt) / 1000)} s ago; ` +
        'give each host its own LENSMITH_HOST',
      { where: 'LENSMITH_HOST' },
    );
};

/**
 * Takes in what a host says of itself, whether it is new, known or back after a silence: its leases whose holders live
 * are renewed, those whose holders have ended end.
 */
export const reportHost = (pool: Pool, report: HostReport, now: number): PoolChange => {
  const { alive, ended, gpus, ...facts } = report;
  const known = hostOf(pool, report.name);
  const host: PoolHost = {
    ...facts,
    gpus: kindsOf(gpus),
    draining: known?.draining ?? false,
    registeredAt: known?.registeredAt ?? now,
    seenAt: now,
    lost: false,
  };
  const here = new Set(leasesOn(pool, report.name).map(({ id }) => id));
  const renewed = renewLeases(
    withHost(pool, host),
    alive.filter((id) => here.has(id)),
    now,
  );
  return ended
    .filter((id) => here.has(id))
    .reduce<{ pool: Pool; notices: readonly PoolNotice[] }>(
      (change, id) => endLease(change.pool, id, 'holder_ended', 'the workflow that held it has ended', now),
      { pool: renewed, notices: [] },
    );
};

const hostOr = (pool: Pool, name: string): PoolHost => {
  const host = hostOf(pool, name);
  if (host) return host;
  const known = pool.hosts
    .slice(0, 10)
    .map((other) => other.name)
    .join(', ');
  throw new LensmithError('config', `the pool knows no host "${name}"; it knows ${known || 'none'}`, { where: 'HOST' });
};

/**
 * Stops giving out a host, or goes on with it; what is leased there stays leased.
 *
 * @throws LensmithError `config` where the pool does not know it.
 */
export const drainHost = (pool: Pool, name: string, draining: boolean): Pool =>
  withHost(pool, { ...hostOr(pool, name), draining });

/**
 * Forgets a host.
 *
 * @throws LensmithError `config` where the pool does not know it, or where something is leased there.
 */
export const removeHost = (pool: Pool, name: string): Pool => {
  hostOr(pool, name);
  const leases = leasesOn(pool, name);
  if (leases.length > 0)
    throw new LensmithError(
      'config',
      `${leases.length} leases hold something on "${name}", such as ${leases[0]?.id}; drain it and wait, or release them`,
      { where: 'HOST' },
    );
  return { ...pool, hosts: pool.hosts.filter((host) => host.name !== name) };
};
