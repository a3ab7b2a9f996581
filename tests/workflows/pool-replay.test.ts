import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { gpuPool } from '../../workflows/gpu-pool.ts';
import {
  acquireLeaseUpdate,
  poolQuery,
  poolWorkflowId,
  releaseLeaseSignal,
  requestLeaseSignal,
  takeBackLeaseUpdate,
} from '../../workflows/gpu-pool-messages.ts';
import { startTemporal } from '../support/local-temporal.ts';
import { report, request } from '../support/pool.ts';
import { tellPool } from '../support/tell-pool.ts';

const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
const holder = 'a-holder';
/** By then the worker has answered the task that a message brought. */
const taskMs = 150;

let temporal: TestWorkflowEnvironment;
let worker: Worker;
let workerRun: Promise<void>;

beforeAll(async () => {
  temporal = await startTemporal();
  // Each task is worked on as by a worker that has just begun.
  const forgetful = { taskQueue: 'lensmith', workflowsPath, maxCachedWorkflows: 0 };
  worker = await Worker.create({ connection: temporal.nativeConnection, ...forgetful });
  workerRun = worker.run();
  // Nobody works on it: it only has to be there.
  await temporal.client.workflow.start('holder', { taskQueue: 'nobody', workflowId: holder });
});

afterAll(async () => {
  worker?.shutdown();
  await workerRun;
  await temporal?.teardown();
});

const wish = (id: string) => request(id, [{ name: 'trainer', gpus: 8 }], { holder });

type Step = (pool: WorkflowHandle<typeof gpuPool>) => Promise<unknown>;
const reports: Step = () => tellPool(temporal.client, report('a'));
/** The next message comes after the answer to this one, not with it. */
const waits: Step = () => delay(taskMs);
const acquires =
  (id: string): Step =>
  (pool) =>
    pool.executeUpdate(acquireLeaseUpdate, { args: [wish(id)] });
const requests =
  (id: string): Step =>
  (pool) =>
    pool.signal(requestLeaseSignal, wish(id));
const releases =
  (id: string): Step =>
  (pool) =>
    pool.signal(releaseLeaseSignal, { id, fence: null });
const takesBack =
  (id: string): Step =>
  (pool) =>
    pool.executeUpdate(takeBackLeaseUpdate, { args: [{ id }] });

test.for<[string, readonly Step[]]>([
  ['a report soon after the start', [waits, reports]],
  ['an update after a release', [reports, acquires('x'), releases('x'), waits, acquires('y'), waits, reports]],
  ['a lease taken back after its release', [reports, acquires('x'), releases('x'), waits, takesBack('x'), reports]],
  ['an update after an answer', [reports, acquires('x'), requests('y'), releases('x'), waits, takesBack('y'), reports]],
])('the pool outlives its workers: %s', { timeout: 60_000 }, async ([, steps]) => {
  const pool = await temporal.client.workflow.start<typeof gpuPool>('gpu-pool', {
    taskQueue: 'lensmith',
    workflowId: poolWorkflowId,
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    args: [],
  });
  for (const step of steps) await step(pool);
  expect((await pool.query(poolQuery)).hosts).toHaveLength(1);
  const history = await pool.fetchHistory();
  expect((history.events ?? []).filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
  await Worker.runReplayHistory({ workflowsPath }, history);
});
