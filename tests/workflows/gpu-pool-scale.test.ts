import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { poolLimits } from '../../domain/gpu-pool.ts';
import { renewSecondsFor } from '../../domain/gpu-pool-hosts.ts';
import { controlQueue } from '../../domain/task-queues.ts';
import type { gpuPool } from '../../workflows/gpu-pool.ts';
import { poolQuery, poolWorkflowId } from '../../workflows/gpu-pool-messages.ts';
import { startTemporal } from '../support/local-temporal.ts';
import { report } from '../support/pool.ts';
import { poolFaults } from '../support/pool-check.ts';
import { tellPool } from '../support/tell-pool.ts';
import type { HeldLease, WorkerPlan, workThroughLeases } from './fixtures/lease-holders.ts';
import { saveHistory } from './save-history.ts';

/** Holders have a worker of their own, so that the pool is not pushed out of the memory of its worker by hundreds of them. */
const holdersQueue = 'holders';
const workflowsPath = fileURLToPath(new URL('fixtures/lease-holders.ts', import.meta.url));

// LENSMITH_POOL_HOSTS=1000 LENSMITH_POOL_LEASES=10000 makes a large cluster of it.
const hostCount = Number(process.env.LENSMITH_POOL_HOSTS ?? 30);
const leaseCount = Number(process.env.LENSMITH_POOL_LEASES ?? 240);
// A third more than there are hosts, as far as one worker runs them side by side.
const holderCount = Math.min(800, Math.ceil((hostCount * 4) / 3));
const leasesEach = Math.ceil(leaseCount / holderCount);
const isLarge = hostCount > 100;
/** A large pool passes on a few hundred KB with each new run. */
const maxEvents = isLarge ? 1000 : 250;
const timeout = 180_000 + 200 * leaseCount;
/** Reports on their way at once, and the rest between two looks at the pool, which takes longer with its size. */
const reportsAtOnce = 8;
const lookEveryMs = 200 * Math.ceil(hostCount / 100);

let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  temporal = await startTemporal();
});
afterAll(() => temporal?.teardown());

const shapes: WorkerPlan['leases'][number]['wish']['parts'][] = [
  [{ name: 'trainer', gpus: 1, ports: 2 }],
  [{ name: 'trainer', gpus: 8, cpus: 16, ports: 8 }],
  [{ name: 'trainer', hosts: 2, gpus: 8, cpus: 16, ports: 16 }],
  [
    { name: 'trainer', hosts: 4, gpus: 8, cpus: 32, ports: 16 },
    { name: 'judge', gpus: 2, ports: 1, apart: ['trainer'] },
  ],
];

const plans = (): WorkerPlan[] => {
  const random = xoroshiro128plus(20_260_102);
  const draw = (from: number, to: number): number => uniformInt(random, from, to);
  return Array.from({ length: holderCount }, (_, holder) => ({
    leases: Array.from({ length: leasesEach }, (_, index) => {
      const roll = draw(1, 100);
      // Every fifth holder crashes under its last lease.
      const crash = index === leasesEach - 1 && holder % 5 === 0;
      return {
        wish: {
          id: `holder-${holder}/lease-${index}`,
          group: `run-${holder}`,
          // First in the queue with the lease under which it crashes, so that the short time is not spent there.
          priority: crash ? 1 : draw(1, 5),
          // Only a crashed holder's lease ends by itself: the others live longer than the test.
          ttlSeconds: crash ? (isLarge ? 240 : 40) : 600,
          parts: shapes[roll <= 50 ? 0 : roll <= 75 ? 1 : roll <= 92 ? 2 : 3] ?? [],
        },
        workMs: draw(20, 400),
        crash,
      };
    }),
  }));
};

/** One workflow for each holder, and in a large pool for many, because what is tried here is the pool. */
const perWorkflow = (all: readonly WorkerPlan[]): WorkerPlan[][] => {
  const size = isLarge ? 20 : 1;
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(size * index, size * (index + 1)),
  );
};

/** GPUs that two leases held at one moment of the server's time, by what the holders themselves noted. */
const heldTwice = (held: readonly HeldLease[]): string[] => {
  const byGpu = new Map<string, HeldLease[]>();
  for (const one of held)
    for (const { host, gpus } of one.lease.placements)
      for (const gpu of gpus) {
        const key = `GPU ${gpu} of ${host}`;
        byGpu.set(key, [...(byGpu.get(key) ?? []), one]);
      }
  return [...byGpu].flatMap(([key, ones]) => {
    const inOrder = ones.sort((a, b) => a.from - b.from || a.until - b.until);
    return inOrder.flatMap((one, index) => {
      const next = inOrder[index + 1];
      return next && next.from < one.until ? [`${key}: ${one.lease.id} and ${next.lease.id}`] : [];
    });
  });
};

/** Has every host report, once or again and again until that is over, in a large pool as often as it tells them to. */
const reportAll = async (isOver: () => boolean): Promise<void> => {
  const inTurn = async (part: number): Promise<void> => {
    do {
      for (let index = part; index < hostCount; index += reportsAtOnce) {
        await tellPool(temporal.client, report(`gpu-${index}`));
        if (isLarge) await delay((1000 * reportsAtOnce * renewSecondsFor(hostCount)) / hostCount);
      }
    } while (!isOver());
  };
  await Promise.all(Array.from({ length: reportsAtOnce }, (_, part) => inTurn(part)));
};

/** Events of each run of the pool, the first run first. */
const lengthsOfRuns = async (first: string): Promise<number[]> => {
  const lengths: number[] = [];
  for (let runId: string | null | undefined = first; runId; ) {
    const { events } = await temporal.client.workflow.getHandle(poolWorkflowId, runId).fetchHistory();
    lengths.push(events?.length ?? 0);
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return lengths;
};

const hold = async (plans: readonly WorkerPlan[], index: number): Promise<HeldLease[]> => {
  const handle = await temporal.client.workflow.start<typeof workThroughLeases>('workThroughLeases', {
    taskQueue: holdersQueue,
    workflowId: `holders-${index}`,
    args: [plans],
  });
  return handle.result();
};

it('serves many holders that crash, leases nothing twice, and keeps every run of the pool short', {
  timeout,
}, async () => {
  const serve = (taskQueue: string): Promise<Worker> =>
    Worker.create({ connection: temporal.nativeConnection, taskQueue, workflowsPath });
  const work = async (): Promise<void> => {
    const first = await temporal.client.workflow.start('gpu-pool', {
      taskQueue: controlQueue,
      workflowId: poolWorkflowId,
      args: [{ maxEvents }],
    });
    const pool = temporal.client.workflow.getHandle<typeof gpuPool>(poolWorkflowId);
    await reportAll(() => true);

    let over = false;
    const all = Promise.all(perWorkflow(plans()).map(hold)).finally(() => {
      over = true;
    });
    // In a large pool the first reports would be too old before the last lease.
    const reporting = isLarge ? reportAll(() => over) : Promise.resolve();
    // Awaited below, after the looks at the pool, which may fail first.
    for (const promise of [all, reporting]) promise.catch(() => undefined);
    while (!over) {
      expect(poolFaults(await pool.query(poolQuery))).toEqual([]);
      await delay(lookEveryMs);
    }
    const held = (await all).flat();
    await reporting;
    expect(held).toHaveLength(holderCount * leasesEach);
    expect(heldTwice(held)).toEqual([]);
    expect(new Set(held.map(({ lease }) => lease.fence)).size).toBe(held.length);
    // What crashed holders left is taken back by time alone.
    await expect
      .poll(async () => (await pool.query(poolQuery)).leases, { timeout: 300_000, interval: 1000 })
      .toEqual([]);
    const { endings } = await pool.query(poolQuery);
    const expired = endings.filter(({ ending }) => ending === 'expired').length;
    // The pool remembers the last endings only.
    if (leaseCount <= poolLimits.maxEndings) expect(expired).toBe(holderCount / 5);
    else expect(expired).toBeGreaterThan(0);

    if (hostCount === 30)
      await saveHistory(temporal.address, poolWorkflowId, 'gpu-pool_continued-as-new', first.firstExecutionRunId);
    const lengths = await lengthsOfRuns(first.firstExecutionRunId);
    expect(lengths.length).toBeGreaterThan(3);
    // A turn of the loop, with what came meanwhile, is written before the pool looks at the length again.
    expect(Math.max(...lengths)).toBeLessThan(3 * maxEvents);
    if (process.env.LENSMITH_SHOW_FIGURES)
      process.stdout.write(
        `${JSON.stringify({ leases: held.length, runs: lengths.length, longest: Math.max(...lengths), waitMs: Math.max(...held.map((one) => one.from - one.askedAt)) })}\n`,
      );
  };
  const [forPool, forHolders] = await Promise.all([serve(controlQueue), serve(holdersQueue)]);
  await forHolders.runUntil(() => forPool.runUntil(work));
});
