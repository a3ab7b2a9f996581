import type { Host } from '../activities/host.ts';
import { livingLeases, stopLeased } from './stop-leased.ts';

/**
 * Ends programs whose lease is no more: the run was terminated, or this host was cut off and its leases went to others.
 * Called with the leases that the pool knows of this host, after each report to it. A lease counts as gone where two answers
 * in a row lack it: one that was just granted may not be in the first.
 *
 * Returns the leases whose programs were ended.
 */
export const createLeaseGuard = (
  host: Pick<Host, 'name' | 'home'>,
): ((known: readonly string[]) => Promise<string[]>) => {
  let suspects = new Set<string>();
  return async (known) => {
    const lost = livingLeases(host).filter((lease) => !known.includes(lease));
    const certain = lost.filter((lease) => suspects.has(lease));
    suspects = new Set(lost);
    for (const lease of certain) await stopLeased(host, lease);
    return certain;
  };
};
