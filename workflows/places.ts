import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  log,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { Lease, Placement } from '../domain/lease.ts';
import type { PoolSpec } from '../domain/run-spec.ts';
import type { RunRef } from '../domain/stage.ts';
import type { HostProxies } from './activity-proxies.ts';
import { rootFailure } from './failure.ts';
import { acquireLease, type LeaseDesk, releaseLease, whileLeased } from './gpu-pool-client.ts';

/** A host on which a stage may work. */
export interface Place {
  /** The run, with what is leased to it there. */
  readonly run: RunRef;
  readonly hostName: string;
  readonly host: HostProxies;
  /** Whether its lease has ended because a host of it is silent: nobody answers there, and nothing may run there. */
  readonly isSilent: () => boolean;
}

/** What a stage needs of a host. */
export interface PlaceWish {
  /** Role that others can keep apart from, and the last part of the lease's id. */
  readonly part: string;
  readonly purpose: string;
  readonly gpus: number;
  readonly cpus: number;
  readonly ports?: number;
  /** Different hosts, each with this share; all of them are leased at once, or none. @default 1 */
  readonly hosts?: number;
  /** Roles of this run that may not be on the same host. */
  readonly apart?: readonly string[];
  /** Hears why the stage waits, or loses its host. */
  readonly onNote: (note: string) => void;
}

/** Finds hosts for the stages of a run. */
export interface Places {
  /** Works on the host of the spec, or on one that is leased for as long as the work takes. */
  readonly on: <T>(wish: PlaceWish, work: (place: Place) => Promise<T>) => Promise<T>;
  /** As `on`, with all the hosts of the wish. */
  readonly gang: <T>(wish: PlaceWish, work: (first: Place, others: readonly Place[]) => Promise<T>) => Promise<T>;
}

export interface PlacesOptions {
  readonly run: RunRef;
  /** The host of the spec. */
  readonly hostName: string;
  /** Null works on the host of the spec. */
  readonly pool: PoolSpec | null;
  readonly desk: LeaseDesk;
  readonly proxiesOf: (hostName: string) => HostProxies;
}

const withLease = (run: RunRef, lease: Lease, { host, gpus, cpus, ports }: Placement) => ({
  hostName: host,
  run: { ...run, lease: { id: lease.id, fence: lease.fence, host, gpus, cpus, ports } },
});

const shareOf = ({ host, gpus }: Placement): string => (gpus.length > 0 ? `${host}, GPUs ${gpus.join(', ')}` : host);

const hostIsSilent = (desk: LeaseDesk, { id }: Lease): boolean => {
  const answer = desk.answers.get(id);
  return answer?.state === 'ended' && (answer.ending === 'host_lost' || answer.ending === 'expired');
};

/** Whether work under a lease ended because its host is gone, and not by itself. */
const hostIsLost = (desk: LeaseDesk, lease: Lease, error: unknown): boolean => {
  if (desk.answers.get(lease.id)?.state === 'ended') return true;
  const root = rootFailure(error);
  return root instanceof TimeoutFailure && root.timeoutType === 'SCHEDULE_TO_START';
};

/**
 * Places of a run. Under the pool each piece of work has a lease of its own; where its host is lost, it begins again under
 * another one, at most `placement.losses` times. What runs there finds its checkpoints, because the home is shared.
 */
export const createPlaces = ({ run, hostName, pool, desk, proxiesOf }: PlacesOptions): Places => {
  const { workflowId, runId } = workflowInfo();
  let asked = 0;

  const once = async <T>(
    pool: PoolSpec,
    wish: PlaceWish,
    work: (first: Place, others: readonly Place[]) => Promise<T>,
    lose: (lease: Lease) => void,
  ) => {
    asked += 1;
    const { part, purpose, gpus, cpus, ports = 0, hosts = 1, apart = [], onNote } = wish;
    const lease = await acquireLease(
      desk,
      {
        id: `${workflowId}/${runId.slice(-8)}/${part}-${asked}`,
        group: run.run,
        purpose,
        priority: pool.priority,
        waitSeconds: pool.waitSeconds,
        parts: [{ name: part, hosts, gpus, cpus, ports, apart: [...apart], labels: pool.labels }],
      },
      (reason) => onNote(`waiting for a lease: ${reason}`),
    );
    lose(lease);
    const [first, ...others] = lease.placements.map((placement): Place => {
      const leased = withLease(run, lease, placement);
      return { ...leased, host: proxiesOf(leased.hostName), isSilent: () => hostIsSilent(desk, lease) };
    });
    if (!first) throw ApplicationFailure.nonRetryable(`the lease ${lease.id} has no host`, 'infrastructure');
    onNote(`on ${lease.placements.map(shareOf).join('; ')}, lease ${lease.fence}`);
    try {
      return await whileLeased(desk, lease, () => work(first, others));
    } finally {
      await CancellationScope.nonCancellable(() => releaseLease(lease));
    }
  };

  const gang: Places['gang'] = async (wish, work) => {
    if (!pool) return work({ run, hostName, host: proxiesOf(hostName), isSilent: () => false }, []);
    for (let losses = 0; ; losses += 1) {
      let lease: Lease | undefined;
      try {
        return await once(pool, wish, work, (granted) => {
          lease = granted;
        });
      } catch (error) {
        if (isCancellation(error) || !lease || !hostIsLost(desk, lease, error) || losses >= pool.losses) throw error;
        const [reason = ''] = rootFailure(error).message.split('\n');
        log.warn(`${wish.purpose} lost its host`, { lease: lease.id, reason });
        wish.onNote(`lost its host, begins again elsewhere: ${reason}`);
      }
    }
  };
  return { gang, on: (wish, work) => gang(wish, (first) => work(first)) };
};
