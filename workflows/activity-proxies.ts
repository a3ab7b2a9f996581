import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { HostActivities } from '../activities/index.ts';
import { hostQueue } from '../domain/task-queues.ts';

/** A host that is gone for this long is reported; a worker that restarts is back within seconds. */
const hostAbsence = '15 minutes';

/**
 * Activities of a host by how they may be tried again.
 *
 * - `quick` reads or writes a few files: seconds, tried again freely.
 * - `long` follows a program for hours: its heartbeat tells a dead worker within seconds, and a new attempt finds the
 *   program again instead of starting another.
 * - `cleanup` must happen, whatever it takes.
 */
export const hostActivities = (host: string, attempts: number) => {
  const taskQueue = hostQueue(host);
  return {
    quick: proxyActivities<HostActivities>({
      taskQueue,
      scheduleToStartTimeout: hostAbsence,
      startToCloseTimeout: '5 minutes',
      retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: attempts },
    }),
    long: proxyActivities<HostActivities>({
      taskQueue,
      scheduleToStartTimeout: hostAbsence,
      startToCloseTimeout: '60 days',
      heartbeatTimeout: '15s',
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
      retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute', maximumAttempts: attempts },
    }),
    cleanup: proxyActivities<HostActivities>({
      taskQueue,
      scheduleToCloseTimeout: '30 minutes',
      startToCloseTimeout: '3 minutes',
      retry: { initialInterval: '1s', maximumInterval: '20s' },
    }),
  };
};
export type HostProxies = ReturnType<typeof hostActivities>;
