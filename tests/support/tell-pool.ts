import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { HostReport } from '../../domain/lease-host.ts';
import { reportToPool } from '../../workers/register-host.ts';

/** Reports as a host's worker does: what a pool that goes on as a new run cannot hear is told again. */
export const tellPool = async (client: Client, report: HostReport): Promise<void> => {
  const isHeard = (): Promise<boolean> =>
    reportToPool(client, report).then(
      () => true,
      () => false,
    );
  while (!(await isHeard())) await delay(500);
};
