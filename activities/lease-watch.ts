import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RunRef } from '../domain/stage.ts';
import { processIdVariable, runIdVariable } from '../processes/find-processes.ts';
import { launchVariable } from '../processes/inspect.ts';
import { isLocked } from '../processes/with-lock.ts';
import type { Host } from './host.ts';
import { assertHoldsLease, ownerDigest } from './lease-fence.ts';

const program = fileURLToPath(new URL('../workers/lease-watch.ts', import.meta.url));

/** Name of the lock that the watch of a host holds. */
export const watchLock = (host: Pick<Host, 'name' | 'home'>): string => `lease-watch-${ownerDigest(host)}`;

/**
 * Sees to it that the watch of this host's leases runs: a process of its own, because the worker may be killed or hang
 * while its programs work on. It ends by itself once nothing under a lease is left.
 */
export const ensureLeaseWatch = async (host: Pick<Host, 'name' | 'home'>): Promise<void> => {
  if (await isLocked(watchLock(host))) return;
  const { [runIdVariable]: _run, [launchVariable]: _launch, ...env } = process.env;
  const child = spawn(process.execPath, [program, host.name, host.home], {
    // A program of its own, that the stop of the worker leaves alone.
    env: { ...env, [processIdVariable]: watchLock(host) },
    detached: true,
    stdio: 'ignore',
  });
  await once(child, 'spawn');
  child.unref();
};

/**
 * Called before a program is started: where it will work under a lease, that has to be this host's, and be watched.
 *
 * @throws LensmithError `infrastructure` where the lease may belong to another host by now
 */
export const beginUnderLease = async (host: Pick<Host, 'name' | 'home'>, run: Pick<RunRef, 'lease'>): Promise<void> => {
  if (!run.lease) return;
  await assertHoldsLease(host, run);
  await ensureLeaseWatch(host);
};
