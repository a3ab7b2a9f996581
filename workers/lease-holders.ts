import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { HostOrders } from '../domain/gpu-pool-hosts.ts';

const askMs = 10_000;

/** Whether a workflow runs; undefined where Temporal does not say. */
const runs = async (client: Client, workflowId: string): Promise<boolean | undefined> => {
  try {
    const { status } = await client.withDeadline(Date.now() + askMs, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    return error instanceof WorkflowNotFoundError ? false : undefined;
  }
};

/**
 * Finds out which leases of a host still have a running holder and which have none. Holders need not renew their leases
 * themselves then, which would fill their histories, and one that was terminated gives its GPUs back all the same.
 */
export const findHolders = async (
  client: Client,
  leases: HostOrders['leases'],
): Promise<{ alive: string[]; ended: string[] }> => {
  const holders = [...new Set(leases.map(({ holder }) => holder))];
  const states = new Map(await Promise.all(holders.map(async (id) => [id, await runs(client, id)] as const)));
  return {
    alive: leases.filter(({ holder }) => states.get(holder) === true).map(({ id }) => id),
    ended: leases.filter(({ holder }) => states.get(holder) === false).map(({ id }) => id),
  };
};
