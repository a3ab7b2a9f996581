import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Pool } from '../../domain/gpu-pool.ts';
import { findHolders } from '../../workers/lease-holders.ts';
import { keepRegistered } from '../../workers/register-host.ts';
import { poolQuery, poolWorkflowId, requestLeaseSignal } from '../../workflows/gpu-pool-messages.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { startTemporal } from '../support/local-temporal.ts';

let temporal: TestWorkflowEnvironment;

beforeAll(async () => {
  temporal = await startTemporal();
});
afterAll(() => temporal?.teardown());

const controlWorker = (): Promise<Worker> =>
  Worker.create({
    connection: temporal.nativeConnection,
    taskQueue: 'lensmith',
    workflowsPath: fileURLToPath(new URL('../workflows/fixtures/lease-holders.ts', import.meta.url)),
  });

it('a host starts the pool, stays in it, and gives back the lease of a holder that was terminated', async () => {
  const home = await temporaryFolder();
  const leaving = new AbortController();
  const states: (string | null)[] = [];
  const offer = { cpus: 4, ports: [20_000, 20_099] as const, labels: { zone: 'a' }, silenceSeconds: 900 };
  const worker = await controlWorker();
  await worker.runUntil(async () => {
    const { client } = temporal;
    const kept = keepRegistered(client, { name: 'here', home }, offer, leaving.signal, (fault) => states.push(fault));
    const pool = client.workflow.getHandle(poolWorkflowId);
    const now = (): Promise<Pool> => pool.query(poolQuery);
    await expect.poll(() => states, { timeout: 30_000 }).toEqual([null]);
    expect((await now()).hosts).toMatchObject([{ name: 'here', cpus: 4, labels: { zone: 'a' }, lost: false }]);

    const wish = { id: 'here/lease', group: 'here', parts: [{ name: 'trainer', gpus: 0, cpus: 4 }] };
    const holder = await client.workflow.start('holdLease', {
      taskQueue: 'lensmith',
      workflowId: 'holder',
      args: [wish],
    });
    await expect.poll(async () => (await now()).leases.length, { timeout: 30_000 }).toBe(1);
    const [lease] = (await now()).leases;
    if (!lease) throw new Error('no lease');
    expect(await findHolders(client, [lease])).toEqual({ alive: ['here/lease'], ended: [] });
    await holder.terminate('no teardown');
    expect(await findHolders(client, [lease, { ...lease, id: 'ghost', holder: 'never-was' }])).toEqual({
      alive: [],
      ended: ['here/lease', 'ghost'],
    });
    await expect
      .poll(async () => (await now()).endings, { timeout: 45_000 })
      .toMatchObject([{ ending: 'holder_ended' }]);
    await pool.signal(requestLeaseSignal, { ...wish, id: 'again', holder: 'never-was' });
    await expect.poll(async () => (await now()).endings.at(-1), { timeout: 10_000 }).toMatchObject({ id: 'again' });
    leaving.abort();
    await kept;
  });
  expect(states).toEqual([null]);
}, 120_000);

it('a host without a pool that answers leaves at once when it is told to', async () => {
  const home = await temporaryFolder();
  const leaving = new AbortController();
  const kept = keepRegistered(
    temporal.client,
    { name: 'alone', home },
    { cpus: 1, ports: null, labels: {}, silenceSeconds: 900 },
    leaving.signal,
    () => undefined,
  );
  setTimeout(() => leaving.abort(), 200);
  await kept;
  expect(leaving.signal.aborted).toBe(true);
}, 15_000);
