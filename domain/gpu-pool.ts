import type { Lease, LeaseAnswer, LeaseEnding, LeaseRequest } from './lease.ts';
import type { HostReport } from './lease-host.ts';

/** GPUs of one model on a host. A pool of a thousand hosts travels from run to run, so each is told once. */
export interface PoolGpus {
  readonly model: string;
  /** Of each of them. */
  readonly memoryMiB: number;
  readonly indices: readonly number[];
  /** Those of them on which a process computes. */
  readonly busy: readonly number[];
}

/** What the pool keeps of a host. Times are Unix times in milliseconds. */
export interface PoolHost extends Omit<HostReport, 'alive' | 'ended' | 'gpus'> {
  readonly gpus: readonly PoolGpus[];
  readonly draining: boolean;
  readonly registeredAt: number;
  /** Last report. */
  readonly seenAt: number;
  /** Whether its silence has cost it its leases; it comes back with its next report. */
  readonly lost: boolean;
}

export interface PoolRequest extends LeaseRequest {
  readonly requestedAt: number;
  /** Place in the queue: the least goes first. It never changes, so nobody is overtaken for ever. */
  readonly order: number;
  readonly reason: string;
}

/** A lease or request that is no more: what a late question about it is answered with. */
export interface PoolEnding {
  readonly id: string;
  readonly ending: LeaseEnding;
  readonly reason: string;
  readonly at: number;
}

/** The whole state of the pool: plain data, carried from one run of its workflow to the next. */
export interface Pool {
  readonly version: 1;
  readonly nextFence: number;
  /** When the pool last looked at the clock. */
  readonly lookedAt: number;
  readonly hosts: readonly PoolHost[];
  readonly leases: readonly Lease[];
  /** In the order in which they are served. */
  readonly queue: readonly PoolRequest[];
  /** The newest last. */
  readonly endings: readonly PoolEnding[];
}

/** Tells a holder something without having been asked. */
export interface PoolNotice {
  readonly holder: string;
  readonly answer: LeaseAnswer;
}

/** A pool after a change, and what its holders are to be told. */
export interface PoolChange {
  readonly pool: Pool;
  readonly notices: readonly PoolNotice[];
}

/** Silence after which the leases of a host end, milliseconds. */
export const silenceOf = ({ silenceSeconds }: Pick<PoolHost, 'silenceSeconds'>): number =>
  silenceSeconds === undefined ? poolLimits.lostMs : 1000 * silenceSeconds;

/** Silence after which a host gets no new lease, milliseconds. */
export const latenessOf = (host: Pick<PoolHost, 'silenceSeconds'>): number =>
  Math.min(poolLimits.lateMs, silenceOf(host) / 2);

export const poolLimits = {
  /** A priority is worth this much waiting: whoever waits longer than that overtakes the next better priority. */
  priorityMs: 600_000,
  /** Each waiting request of a group puts its next one this much behind. */
  groupMs: 60_000,
  /** Without a report for this long a host gets no new lease. */
  lateMs: 150_000,
  /** Without a report for this long a host's leases end; long enough to restart or upgrade its worker. */
  lostMs: 900_000,
  /** The pool looks at its clock at least this often; a longer gap is its own absence and nobody's fault. */
  lookMs: 60_000,
  /** A request that waits has more and more hosts held free for it, twice as many after each such time. */
  widenMs: 300_000,
  /** For so many requests of different shapes room is held at once: one that can wait long must not starve the next. */
  maxHeld: 4,
  /** So many kinds of requests are tried in one pass; more would keep the workflow's thread too long. */
  maxShapes: 32,
  /** The four below keep the whole pool under the 2 MiB that Temporal takes as the input of a run. */
  maxHosts: 1200,
  /** Hosts of all leases, counted once for each lease and part. */
  maxPlacements: 3000,
  maxQueue: 800,
  maxEndings: 300,
} as const;

/** A pool of nothing. Its fences begin at the clock, so that they go on rising where a pool is made anew. */
export const emptyPool = (now: number): Pool => ({
  version: 1,
  nextFence: Math.max(1, Math.floor(now)),
  lookedAt: now,
  hosts: [],
  leases: [],
  queue: [],
  endings: [],
});
