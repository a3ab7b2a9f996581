import { log, proxyActivities } from '@temporalio/workflow';
import type { HostActivities } from '../activities/index.ts';
import type { Notification, NotifySpec } from '../domain/notification.ts';
import { hostQueue } from '../domain/task-queues.ts';
import { rootFailure } from './failure.ts';

export interface NotifyRunInput {
  readonly host: string;
  readonly spec: NotifySpec;
  readonly notification: Notification;
}

/**
 * Delivers one notification, trying for up to an hour. It outlives the run that it tells of, which neither waits for it
 * nor fails with it; what cannot be delivered is written to the log.
 */
export const notifyRun = async ({ host, spec, notification }: NotifyRunInput): Promise<'delivered' | 'given-up'> => {
  const { notify } = proxyActivities<HostActivities>({
    taskQueue: hostQueue(host),
    scheduleToCloseTimeout: '1 hour',
    startToCloseTimeout: '30s',
    retry: {
      initialInterval: '2s',
      backoffCoefficient: 2,
      maximumInterval: '5 minutes',
      maximumAttempts: 20,
      nonRetryableErrorTypes: ['config', 'auth'],
    },
  });
  try {
    await notify(spec, notification);
    return 'delivered';
  } catch (error) {
    log.warn('a notification was given up', { event: notification.event, why: rootFailure(error).message });
    return 'given-up';
  }
};
