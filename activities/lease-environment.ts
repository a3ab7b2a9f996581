import type { RunRef } from '../domain/stage.ts';
import type { Host } from './host.ts';

/** Names the lease that a program works under. */
export const leaseVariable = 'LENSMITH_LEASE';
/** Says whose leases these are: two stacks of a machine have two pools. */
export const leaseOwnerVariable = 'LENSMITH_LEASE_OWNER';

export const leaseOwner = ({ name, home }: Pick<Host, 'name' | 'home'>): string => `${name} ${home}`;

/** What a program under a lease finds in its environment: the GPUs that it may use, and whose it is. */
export const leaseEnvironment = (
  host: Pick<Host, 'name' | 'home'>,
  { lease }: Pick<RunRef, 'lease'>,
): Record<string, string> =>
  lease
    ? {
        CUDA_VISIBLE_DEVICES: lease.gpus.join(','),
        [leaseVariable]: lease.id,
        LENSMITH_FENCE: String(lease.fence),
        [leaseOwnerVariable]: leaseOwner(host),
      }
    : {};
