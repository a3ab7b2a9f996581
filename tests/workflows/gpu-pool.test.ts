import { fileURLToPath } from 'node:url';
import { type WorkflowHandle, WorkflowIdReusePolicy, WorkflowUpdateFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { failureTypeOf } from '../../activities/failures.ts';
import type { Pool } from '../../domain/gpu-pool.ts';
import type { HostReport } from '../../domain/lease-host.ts';
import type { GpuPoolInput, gpuPool } from '../../workflows/gpu-pool.ts';
import type { LeaseWish } from '../../workflows/gpu-pool-client.ts';
import {
  acquireLeaseUpdate,
  drainHostUpdate,
  poolQuery,
  poolWorkflowId,
  releaseLeaseSignal,
  reportHostUpdate,
  requestLeaseSignal,
  takeBackLeaseUpdate,
} from '../../workflows/gpu-pool-messages.ts';
import { startTemporal } from '../support/local-temporal.ts';
import { report } from '../support/pool.ts';
import { poolFaults } from '../support/pool-check.ts';
import { tellPool } from '../support/tell-pool.ts';
import { finishSignal, type holdLease } from './fixtures/lease-holders.ts';
import { saveHistory } from './save-history.ts';

const workflowsPath = fileURLToPath(new URL('fixtures/lease-holders.ts', import.meta.url));

let temporal: TestWorkflowEnvironment;
let worker: Worker;
let workerRun: Promise<void>;
let pool: WorkflowHandle<typeof gpuPool>;

beforeAll(async () => {
  temporal = await startTemporal();
  worker = await Worker.create({ connection: temporal.nativeConnection, taskQueue: 'lensmith', workflowsPath });
  workerRun = worker.run();
});

afterAll(async () => {
  worker?.shutdown();
  await workerRun;
  await temporal?.teardown();
});

const startPool = async (input: GpuPoolInput = {}): Promise<void> => {
  pool = await temporal.client.workflow.start('gpu-pool', {
    taskQueue: 'lensmith',
    workflowId: poolWorkflowId,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    args: [input],
  });
  // Messages follow the pool into its later runs.
  pool = temporal.client.workflow.getHandle<typeof gpuPool>(poolWorkflowId);
};

beforeEach(() => startPool());

const tell = (one: HostReport) => pool.executeUpdate(reportHostUpdate, { args: [one] });
const now = (): Promise<Pool> => pool.query(poolQuery);
const gpus = (count: number, changes: Partial<LeaseWish> = {}): Omit<LeaseWish, 'id' | 'group'> => ({
  parts: [{ name: 'trainer', gpus: count }],
  ...changes,
});

/** Events of each run of the pool that went on as a new one, of all tests until now. */
const lengthsOfRuns = async (): Promise<number[]> => {
  const found: number[] = [];
  for await (const run of temporal.client.workflow.list({ query: `WorkflowId = '${poolWorkflowId}'` })) {
    const { status, historyLength } = await temporal.client.workflow.getHandle(run.workflowId, run.runId).describe();
    if (status.name === 'CONTINUED_AS_NEW') found.push(historyLength);
  }
  return found;
};

let holders = 0;
const hold = async (wish: Omit<LeaseWish, 'id' | 'group'>): Promise<WorkflowHandle<typeof holdLease>> => {
  holders += 1;
  const id = `holder-${holders}`;
  return temporal.client.workflow.start<typeof holdLease>('holdLease', {
    taskQueue: 'lensmith',
    workflowId: id,
    args: [{ id: `${id}/lease`, group: id, ...wish }],
  });
};
const leased = async (handle: WorkflowHandle): Promise<void> => {
  await expect
    .poll(async () => (await now()).leases.map(({ id }) => id), { timeout: 20_000 })
    .toContain(`${handle.workflowId}/lease`);
};

describe('gpu-pool', () => {
  it('grants a lease to a workflow, makes the next one wait with a reason, and serves it then', async () => {
    await tell(report('a'));
    const first = await hold(gpus(8));
    await leased(first);
    const second = await hold(gpus(8));
    await expect
      .poll(async () => (await now()).queue.map(({ reason }) => reason), { timeout: 20_000 })
      .toEqual(['trainer needs 1 host with 8 GPUs; 0 of 1 host have the room (1 with too few free GPUs)']);
    await first.signal(finishSignal);
    const given = await first.result();
    await leased(second);
    await second.signal(finishSignal);
    const { lease, waits } = await second.result();
    expect(lease.fence).toBeGreaterThan(given.lease.fence);
    expect(lease.placements[0]).toMatchObject({ host: 'a', gpus: [0, 1, 2, 3, 4, 5, 6, 7] });
    expect(waits.at(-1)).toContain('place 1 in the queue: trainer needs 1 host with 8 GPUs');
    await expect.poll(async () => (await now()).leases.map(({ id }) => id), { timeout: 20_000 }).toEqual([]);
  });

  it('takes a place in the queue back from a workflow that is cancelled, and a lease from one that is terminated', async () => {
    const registered = await tell(report('a'));
    expect(registered).toEqual({ leases: [], renewSeconds: 15 });
    const first = await hold(gpus(8));
    await leased(first);
    const second = await hold(gpus(8));
    await expect.poll(async () => (await now()).queue.length, { timeout: 20_000 }).toBe(1);
    await second.cancel();
    await expect(second.result()).rejects.toThrow();
    await expect.poll(async () => (await now()).queue.length, { timeout: 20_000 }).toBe(0);

    await first.terminate('no teardown');
    const { leases } = await tell(report('a'));
    expect(leases).toMatchObject([{ holder: first.workflowId }]);
    await tell(report('a', { ended: leases.map(({ id }) => id) }));
    expect((await now()).leases).toEqual([]);
  });

  it('gives a lease to nobody where its holder ended while it waited', async () => {
    await tell(report('a'));
    const first = await hold(gpus(8));
    await leased(first);
    const second = await hold(gpus(8));
    await expect.poll(async () => (await now()).queue.length, { timeout: 20_000 }).toBe(1);
    await second.terminate('gone');
    await first.signal(finishSignal);
    await first.result();
    await expect
      .poll(async () => (await now()).endings.map(({ ending }) => ending), { timeout: 20_000 })
      .toContain('holder_ended');
    expect((await now()).leases).toEqual([]);
  });

  it('cancels the work under a lease that is taken back', async () => {
    await tell(report('a'));
    const holder = await hold(gpus(8));
    await leased(holder);
    const id = `${holder.workflowId}/lease`;
    expect(await pool.executeUpdate(takeBackLeaseUpdate, { args: [{ id }] })).toBe(true);
    expect(await pool.executeUpdate(takeBackLeaseUpdate, { args: [{ id }] })).toBe(false);
    const failure = await holder.result().catch((error: unknown) => error);
    expect(failureTypeOf(failure)).toBe('infrastructure');
    expect(String((failure as { cause?: Error }).cause?.message)).toContain('taken_back');
  });

  it('ends a lease whose holder nobody has seen for its time', async () => {
    await tell(report('a'));
    const holder = await hold(gpus(8, { ttlSeconds: 1 }));
    const failure = await holder.result().catch((error: unknown) => error);
    expect(String((failure as { cause?: Error }).cause?.message)).toContain('expired');
  });

  it('refuses what is not valid, and goes on', async () => {
    await tell(report('a'));
    const bad = await hold({ parts: [{ name: 'trainer', hosts: 0 }] });
    expect(failureTypeOf(await bad.result().catch((error: unknown) => error))).toBe('config');

    const updates = [
      () => pool.executeUpdate(acquireLeaseUpdate, { args: [{ id: '', group: 'g', holder: 'h', parts: [] }] }),
      () => pool.executeUpdate(reportHostUpdate, { args: [{ ...report('a'), cpus: -1 }] }),
      () => pool.executeUpdate(reportHostUpdate, { args: [report('a', { machine: 'another' })] }),
      () => pool.executeUpdate(drainHostUpdate, { args: [{ host: 'nowhere', draining: true }] }),
    ];
    for (const update of updates) {
      const failure = await update().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(WorkflowUpdateFailedError);
      expect(failureTypeOf(failure)).toBe('config');
    }
    await pool.signal(releaseLeaseSignal, undefined as never);
    await pool.signal(requestLeaseSignal, null as never);
    expect((await now()).hosts.map(({ name }) => name)).toEqual(['a']);
  });

  it('answers an update at once, and the same id again with the same lease', async () => {
    await tell(report('a'));
    const holder = await hold(gpus(1));
    await leased(holder);
    const input = {
      id: 'by-update',
      group: 'g',
      holder: holder.workflowId,
      parts: [{ name: 'judge', gpus: 1, ports: 4 }],
    };
    const first = await pool.executeUpdate(acquireLeaseUpdate, { args: [input] });
    const again = await pool.executeUpdate(acquireLeaseUpdate, { args: [input] });
    expect(first).toMatchObject({ state: 'granted', lease: { placements: [{ gpus: [1], ports: [20_000, 4] }] } });
    expect(again).toEqual(first);
  });

  it('goes on as a new run before its history grows long, and loses nothing', async () => {
    const maxEvents = 60;
    await startPool({ maxEvents });
    for (const name of ['a', 'b', 'c']) await tell(report(name));
    const waiting = Array.from({ length: 30 }, () => hold(gpus(8)));
    const handles = await Promise.all(waiting);
    const own = new Set(handles.map(({ workflowId }) => workflowId));
    const fences = new Set<number>();
    for (let done = 0; done < handles.length; ) {
      const state = await now();
      expect(poolFaults(state)).toEqual([]);
      for (const lease of state.leases) {
        if (fences.has(lease.fence)) continue;
        fences.add(lease.fence);
        // A holder that an earlier test left behind may have asked again.
        if (own.has(lease.holder)) done += 1;
        await temporal.client.workflow.getHandle(lease.holder).signal(finishSignal);
      }
    }
    await Promise.all(handles.map((handle) => handle.result()));
    expect(fences.size).toBeGreaterThanOrEqual(30);
    await expect.poll(async () => (await lengthsOfRuns()).length, { timeout: 20_000 }).toBeGreaterThan(2);
    // One turn of the loop, with what came meanwhile, is written before the pool looks at the length again.
    expect(Math.max(...(await lengthsOfRuns()))).toBeLessThan(3 * maxEvents);
  });

  it('goes on as a new run also while hosts report without a pause', async () => {
    const maxEvents = 60;
    const before = (await lengthsOfRuns()).length;
    await startPool({ maxEvents });
    const { runId: firstRunId } = await pool.describe();
    const names = Array.from({ length: 8 }, (_, index) => `busy-${index}`);
    const reportOften = async (name: string): Promise<void> => {
      for (let times = 0; times < 30; times += 1) await tellPool(temporal.client, report(name));
    };
    await Promise.all(names.map(reportOften));
    expect((await now()).hosts.map(({ name }) => name).sort()).toEqual(names);
    await expect.poll(async () => (await lengthsOfRuns()).length, { timeout: 20_000 }).toBeGreaterThan(before + 3);
    expect(Math.max(...(await lengthsOfRuns()))).toBeLessThan(3 * maxEvents);
    await saveHistory(temporal.address, poolWorkflowId, 'gpu-pool_continued-as-new-while-busy', firstRunId);
  });
});
