import type { Host } from '../activities/host.ts';
import { leaseOwner, leaseOwnerVariable, leaseVariable } from '../activities/lease-environment.ts';
import { findNamed } from '../processes/find-leased.ts';
import { findByEnvironment } from '../processes/find-processes.ts';
import { readProcess } from '../processes/proc-stat.ts';

const graceMs = 10_000;

const stop = async (lease: string, owner: string): Promise<void> => {
  const find = () => findByEnvironment({ [leaseVariable]: lease, [leaseOwnerVariable]: owner });
  const signal = (name: 'SIGTERM' | 'SIGKILL'): void => {
    for (const { pid, startTicks } of find()) {
      if (readProcess(pid)?.startTicks !== startTicks) continue;
      try {
        process.kill(pid, name);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
      }
    }
  };
  signal('SIGTERM');
  const deadline = Date.now() + graceMs;
  while (find().length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 200));
  signal('SIGKILL');
};

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
  const owner = leaseOwner(host);
  let suspects = new Set<string>();
  return async (known) => {
    const lost = findNamed(leaseVariable, { variable: leaseOwnerVariable, value: owner }).filter(
      (lease) => !known.includes(lease),
    );
    const certain = lost.filter((lease) => suspects.has(lease));
    suspects = new Set(lost);
    for (const lease of certain) await stop(lease, owner);
    return certain;
  };
};
