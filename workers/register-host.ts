import { setTimeout as delay } from 'node:timers/promises';
import { type Client, WithStartWorkflowOperation, WorkflowIdConflictPolicy } from '@temporalio/client';
import type { Host } from '../activities/host.ts';
import { type HostOffer, readHostReport } from '../activities/host-report.ts';
import { uptimeSeconds } from '../activities/lease-fence.ts';
import type { HostOrders } from '../domain/gpu-pool-hosts.ts';
import type { HostReport } from '../domain/lease-host.ts';
import { controlQueue } from '../domain/task-queues.ts';
import type { gpuPool } from '../workflows/gpu-pool.ts';
import { poolWorkflowId, reportHostUpdate } from '../workflows/gpu-pool-messages.ts';
import { findHolders } from './lease-holders.ts';

const answerMs = 20_000;
const retryMs = 5000;

/** Tells the pool of a host, and starts the pool where there is none. */
export const reportToPool = (client: Client, report: HostReport): Promise<HostOrders> =>
  client.withDeadline(Date.now() + answerMs, () =>
    client.workflow.executeUpdateWithStart(reportHostUpdate, {
      args: [report],
      startWorkflowOperation: new WithStartWorkflowOperation<typeof gpuPool>('gpu-pool', {
        workflowId: poolWorkflowId,
        taskQueue: controlQueue,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        args: [],
        staticSummary: 'leases hosts, GPUs and ports',
      }),
    }),
  );

/**
 * Keeps a host in the pool until `signal` aborts. What cannot be told now, because Temporal or the control worker is
 * away, is told later: the pool bears with a host's silence for 15 minutes. `onState` hears each change between being
 * known to the pool (null) and not, with the reason. `guard` is given the leases on this host after each report, and the
 * uptime before it.
 */
export const keepRegistered = async (
  client: Client,
  host: Pick<Host, 'name' | 'home'>,
  offer: HostOffer,
  signal: AbortSignal,
  onState: (fault: string | null) => void,
  guard: (known: readonly string[], reportedAt: number) => Promise<unknown> = async () => undefined,
): Promise<void> => {
  let leases: HostOrders['leases'] = [];
  let before: string | null | undefined;
  while (!signal.aborted) {
    let waitMs = retryMs;
    let fault: string | null = null;
    const reportedAt = uptimeSeconds();
    try {
      const orders = await client.withAbortSignal(signal, async () => {
        const [facts, holders] = await Promise.all([readHostReport(host, offer), findHolders(client, leases)]);
        return reportToPool(client, { ...facts, ...holders });
      });
      leases = orders.leases;
      await guard(
        leases.map(({ id }) => id),
        reportedAt,
      );
      waitMs = 1000 * orders.renewSeconds;
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      fault = cause instanceof Error ? cause.message : String(cause);
    }
    if (signal.aborted) return;
    if (fault !== before) onState(fault);
    before = fault;
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
  }
};
