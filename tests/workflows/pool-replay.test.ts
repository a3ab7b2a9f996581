import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaseRequestSchema } from '../../domain/lease.ts';
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

const wish = (id: string) => leaseRequestSchema.parse(request(id, [{ name: 'trainer', gpus: 8 }], { holder }));

/** The next message comes with the answer to this one, or after it. */
const steps: Record<string, (pool: WorkflowHandle<typeof gpuPool>, id: string) => Promise<unknown>> = {
  report: () => tellPool(temporal.client, report('a')),
  acquire: (pool, id) => pool.executeUpdate(acquireLeaseUpdate, { args: [wish(id)] }),
  request: (pool, id) => pool.signal(requestLeaseSignal, wish(id)),
  release: (pool, id) => pool.signal(releaseLeaseSignal, { id, fence: null }),
  'take back': (pool, id) => pool.executeUpdate(takeBackLeaseUpdate, { args: [{ id }] }),
  wait: () => delay(taskMs),
};

test.for([
  ['a report soon after the start', 'wait', 'report'],
  ['an update after a release', 'report', 'acquire x', 'release x', 'wait', 'acquire y', 'wait', 'report'],
  ['a lease taken back after its release', 'report', 'acquire x', 'release x', 'wait', 'take back x', 'report'],
  ['an update after an answer', 'report', 'acquire x', 'request y', 'release x', 'wait', 'take back y', 'report'],
])('the pool outlives its workers: %s', { timeout: 60_000 }, async ([, ...names]) => {
  const pool = await temporal.client.workflow.start<typeof gpuPool>('gpu-pool', {
    taskQueue: 'lensmith',
    workflowId: poolWorkflowId,
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    args: [],
  });
  for (const name of names) {
    const [step = '', id = ''] = name.split(/ (?=\w$)/);
    await steps[step]?.(pool, id);
  }
  expect((await pool.query(poolQuery)).hosts).toHaveLength(1);
  const history = await pool.fetchHistory();
  expect((history.events ?? []).filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
  await Worker.runReplayHistory({ workflowsPath }, history);
});
