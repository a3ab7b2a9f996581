import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { HostActivities } from '../activities/index.ts';
import { failureTypes } from '../domain/errors.ts';
import { type RetryBudgets, retryBudgetsSchema } from '../domain/failure-class.ts';
import { hostQueue } from '../domain/task-queues.ts';
import { type RetryLimits, retryByClass, withRetryByClass } from './retry-by-class.ts';

/** A host that is gone for this long is reported; a worker that restarts is back within seconds. */
const hostAbsence = '15 minutes';

/** Every activity beats while it works: without, a worker that was killed would be missed only when the time is up. */
const heartbeatTimeout = '15s';

/** A failure with a class is tried again by the workflow; the server only replaces a worker that was lost. */
const nonRetryableErrorTypes = [...failureTypes];

/**
 * Activities of a host by how they may be tried again. `attempts` bounds what has no class, `budgets` the rest.
 *
 * - `quick` reads or writes a few files: seconds, tried again freely.
 * - `long` follows a program for hours: its heartbeat tells a dead worker within seconds, and a new attempt finds the
 *   program again instead of starting another.
 * - `once` is `long` without the retries by class, for arguments that `retry` makes anew for each attempt.
 * - `cleanup` must happen, whatever it takes.
 */
export const hostActivities = (
  host: string,
  attempts: number,
  budgets: RetryBudgets = retryBudgetsSchema.parse({}),
  onRetry?: RetryLimits['onRetry'],
) => {
  const taskQueue = hostQueue(host);
  const limits: RetryLimits = { attempts, budgets, onRetry };
  const once = proxyActivities<HostActivities>({
    taskQueue,
    scheduleToStartTimeout: hostAbsence,
    startToCloseTimeout: '60 days',
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: {
      initialInterval: '1s',
      backoffCoefficient: 2,
      maximumInterval: '1 minute',
      maximumAttempts: attempts,
      nonRetryableErrorTypes,
    },
  });
  return {
    quick: withRetryByClass(
      proxyActivities<HostActivities>({
        taskQueue,
        scheduleToStartTimeout: hostAbsence,
        startToCloseTimeout: '5 minutes',
        heartbeatTimeout,
        retry: {
          initialInterval: '1s',
          maximumInterval: '30s',
          maximumAttempts: attempts,
          nonRetryableErrorTypes,
        },
      }),
      limits,
    ),
    long: withRetryByClass(once, limits),
    once,
    retry: <T>(name: string, work: () => Promise<T>): Promise<T> => retryByClass(name, work, limits),
    cleanup: proxyActivities<HostActivities>({
      taskQueue,
      scheduleToCloseTimeout: '30 minutes',
      startToCloseTimeout: '3 minutes',
      heartbeatTimeout,
      retry: { initialInterval: '1s', maximumInterval: '20s' },
    }),
  };
};
export type HostProxies = ReturnType<typeof hostActivities>;
