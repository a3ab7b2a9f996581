import type { Host } from '../activities/host.ts';
import { leaseOwner, leaseOwnerVariable, leaseVariable } from '../activities/lease-environment.ts';
import { findNamed } from '../processes/find-leased.ts';
import { findByEnvironment } from '../processes/find-processes.ts';
import { signalProcess } from '../processes/signal-process.ts';

type Owner = Pick<Host, 'name' | 'home'>;

/** Leases of this host under which a program lives. */
export const livingLeases = (host: Owner): string[] =>
  findNamed(leaseVariable, { variable: leaseOwnerVariable, value: leaseOwner(host) });

/** Ends what works under a lease on this host: SIGTERM, and SIGKILL after `graceMs`, also for what is stopped. */
export const stopLeased = async (host: Owner, lease: string, graceMs = 10_000): Promise<void> => {
  const find = () => findByEnvironment({ [leaseVariable]: lease, [leaseOwnerVariable]: leaseOwner(host) });
  const signal = (name: 'SIGTERM' | 'SIGKILL'): void => {
    for (const info of find()) signalProcess(info, name);
  };
  signal('SIGTERM');
  const deadline = Date.now() + graceMs;
  while (find().length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 200));
  signal('SIGKILL');
};
