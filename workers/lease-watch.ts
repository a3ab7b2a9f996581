import { setTimeout as delay } from 'node:timers/promises';
import { holdsLeases } from '../activities/lease-fence.ts';
import { watchLock } from '../activities/lease-watch.ts';
import { LensmithError } from '../domain/errors.ts';
import { tryLockForLife } from '../processes/with-lock.ts';
import { livingLeases, stopLeased } from './stop-leased.ts';

const lookMs = 1000;
/** Programs are looked for that rarely, because it means to read every process of the host. */
const searchMs = 5000;
/** A program that is being started may not be seen in one search. */
const emptySearches = 6;
const graceMs = 2000;

const [name, home] = process.argv.slice(2);
if (name === undefined || home === undefined)
  throw new LensmithError('config', 'expected the name of a host and its home', { where: 'lease-watch' });
const host = { name, home };

/** Ends the host's programs once its leases may be others', and itself once there are none. */
const watch = async (): Promise<void> => {
  let searchedAt = 0;
  for (let empty = 0; empty < emptySearches; ) {
    const held = await holdsLeases(host);
    if (!held || Date.now() - searchedAt >= searchMs) {
      searchedAt = Date.now();
      const leases = livingLeases(host);
      empty = leases.length === 0 ? empty + 1 : 0;
      // Looked at again: between the two the pool may have answered.
      if (leases.length > 0 && !(await holdsLeases(host)))
        await Promise.all(leases.map((lease) => stopLeased(host, lease, graceMs)));
    }
    await delay(lookMs);
  }
};

// Another one watches already.
if (await tryLockForLife(watchLock(host))) await watch();
