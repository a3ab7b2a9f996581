import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Pool } from '../../../domain/gpu-pool.ts';
import type { PipelineProgress } from '../../../domain/stage.ts';
import { poolQuery, poolWorkflowId } from '../../../workflows/gpu-pool-messages.ts';
import type { Told } from '../cluster.ts';

/** Tells each second how a run and the pool stand, a line of JSON each: the test itself is on no host. */
const [workflowId = ''] = process.argv.slice(2);
const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '' });
const client = new Client({ connection });
const soon = <Value>(ask: () => Promise<Value>): Promise<Value | null> =>
  connection.withDeadline(Date.now() + 5000, ask).catch(() => null);

for (;;) {
  const [status, progress, pool] = await Promise.all([
    soon(() => client.workflow.getHandle(workflowId).describe()),
    soon(() => client.workflow.getHandle(workflowId).query<PipelineProgress>('progress')),
    soon(() => client.workflow.getHandle(poolWorkflowId).query<Pool>(poolQuery.name)),
  ]);
  const told: Told = { status: status?.status.name ?? null, stages: progress?.stages ?? null, pool };
  process.stdout.write(`${JSON.stringify(told)}\n`);
  await delay(1000);
}
