import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import type { RunRef } from '../domain/stage.ts';
import { readJson, writeFileAtomic } from '../processes/atomic-file.ts';
import { readBootId } from '../processes/proc-stat.ts';
import type { Host } from './host.ts';
import { leaseOwner } from './lease-environment.ts';

const fenceSchema = z.strictObject({
  bootId: z.string(),
  /** Seconds since the boot, as `/proc/uptime` counts them. */
  until: z.number(),
});
type Fence = z.infer<typeof fenceSchema>;

/** Time of this host that no setting of its clock moves, and that goes on while the machine sleeps; seconds. */
export const uptimeSeconds = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);

/** Of the silence after which the pool gives the leases of a host to others, the last quarter is for ending programs. */
const heldShare = 0.75;

/** Short name of a host and its home, which many names on this machine are made of. */
export const ownerDigest = (host: Pick<Host, 'name' | 'home'>): string =>
  createHash('sha256').update(leaseOwner(host)).digest('hex').slice(0, 16);

/** On a disk of the host's own: the home is shared, and away where the host is cut off. */
const fenceFile = (host: Pick<Host, 'name' | 'home'>): string =>
  join(tmpdir(), `lensmith-fence-${ownerDigest(host)}.json`);

/** What this process knows; the file is for others, and for the worker after this one. */
const known = new Map<string, Fence>();

const write = (host: Pick<Host, 'name' | 'home'>, fence: Fence): Promise<void> =>
  writeFileAtomic(fenceFile(host), `${JSON.stringify(fence)}\n`);

const isHeld = ({ bootId, until }: Fence): boolean => bootId === readBootId() && uptimeSeconds() < until;

/**
 * Notes how long the leases of this host are its own without another word from the pool.
 *
 * @param reportedAt uptime before the report that the pool has answered
 * @param leased whether the host has a lease: only then the watch needs to know
 */
export const holdLeases = async (
  host: Pick<Host, 'name' | 'home'>,
  reportedAt: number,
  silenceSeconds: number,
  leased = true,
): Promise<void> => {
  const fence: Fence = { bootId: readBootId(), until: reportedAt + heldShare * silenceSeconds };
  known.set(ownerDigest(host), fence);
  if (leased) await write(host, fence);
};

/** Whether this host may work under its leases, as it is written down: the pool has answered it, not too long ago. */
export const holdsLeases = async (host: Pick<Host, 'name' | 'home'>): Promise<boolean> => {
  const fence = await readJson(fenceFile(host), fenceSchema).catch(() => undefined);
  return fence !== undefined && isHeld(fence);
};

/** When work was last let begin under a lease, by owner: its program may not be seen yet. */
const begunAt = new Map<string, number>();

/**
 * Removes what is written down, where nothing under a lease is left on this host.
 *
 * @param quietSeconds what has begun within this time keeps it
 */
export const forgetLeases = async (host: Pick<Host, 'name' | 'home'>, quietSeconds = 60): Promise<void> => {
  const begun = begunAt.get(ownerDigest(host));
  if (begun !== undefined && uptimeSeconds() - begun < quietSeconds) return;
  await rm(fenceFile(host), { force: true });
};

/**
 * Refuses work under a lease that may belong to another host by now, and lets the watch know how long the others hold.
 *
 * @throws LensmithError `infrastructure`
 */
export const assertHoldsLease = async (
  host: Pick<Host, 'name' | 'home'>,
  { lease }: Pick<RunRef, 'lease'>,
): Promise<void> => {
  if (!lease) return;
  begunAt.set(ownerDigest(host), uptimeSeconds());
  const fence = known.get(ownerDigest(host));
  if (fence && isHeld(fence)) return write(host, fence);
  if (await holdsLeases(host)) return;
  throw new LensmithError(
    'infrastructure',
    `expected an answer of the gpu-pool to the host ${host.name} within its time, got none: its leases may be others'`,
    { where: lease.id },
  );
};
