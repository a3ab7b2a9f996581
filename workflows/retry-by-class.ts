import { ApplicationFailure, isCancellation, log, patched, sleep, TimeoutFailure } from '@temporalio/workflow';
import { type FailureType, isFailureType } from '../domain/errors.ts';
import { failureDetailsSchema, type RetryBudgets } from '../domain/failure-class.ts';
import { decideRetry, type StageFailure } from '../domain/failure-class-retry.ts';
import { rootFailure } from './failure.ts';

const noteLength = 200;

export interface RetryLimits {
  /** `limits.attempts` of the run spec. */
  readonly attempts: number;
  readonly budgets: RetryBudgets;
  /** Told of each retry: the name of the activity, a line that stays true once it is over, and the class. */
  readonly onRetry?: ((activity: string, note: string, failure: FailureType) => void) | undefined;
}

/** What a failed activity says for the decision; undefined where another attempt is out of the question. */
const stageFailureOf = (root: Error): StageFailure | undefined => {
  if (root instanceof TimeoutFailure) {
    // The server has tried again already where the worker came back.
    const lost = root.timeoutType === 'HEARTBEAT' || root.timeoutType === 'START_TO_CLOSE';
    return lost ? { type: 'worker_lost', step: null } : undefined;
  }
  if (!(root instanceof ApplicationFailure) || root.nonRetryable || !isFailureType(root.type)) return undefined;
  const details = failureDetailsSchema.safeParse(root.details?.[0]).data;
  return { type: root.type, step: details?.step ?? null, remedy: details?.remedy };
};

/**
 * Runs an activity and, where it fails, tries it again by the class of the failure: each has its own budget and waits.
 * A run that began before there were budgets keeps to what it did then.
 *
 * @throws ApplicationFailure `crash_loop` where the stage fails again and again without a new step; else the failure
 * itself, with the budget that was used up.
 */
export const retryByClass = async <T>(name: string, work: () => Promise<T>, limits: RetryLimits): Promise<T> => {
  const failures: StageFailure[] = [];
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (isCancellation(error)) throw error;
      const root = rootFailure(error);
      const failure = stageFailureOf(root);
      if (!failure || !patched('retry-by-class')) throw error;
      failures.push(failure);
      const decision = decideRetry(failures, limits.budgets, limits.attempts);
      if (!decision.retry) {
        if (decision.why === '') throw error;
        throw ApplicationFailure.create({
          type: decision.type,
          nonRetryable: true,
          message: `${root.message}\n${decision.why}`,
          ...(error instanceof Error ? { cause: error } : {}),
        });
      }
      log.warn(`${name} is tried again`, { class: failure.type, seconds: decision.seconds, left: decision.left });
      const left = `${decision.left} more ${decision.left === 1 ? 'retry' : 'retries'} after this class`;
      const [firstLine = ''] = root.message.split('\n');
      limits.onRetry?.(name, `tried again after ${failure.type}: ${firstLine.slice(0, noteLength)}`, failure.type);
      await sleep(decision.seconds * 1000, {
        summary: `${name}: ${failure.type}, again in ${decision.seconds} s; ${left}`,
      });
    }
  }
};

/** The same activities, each tried again by the class of its failure. */
export const withRetryByClass = <T extends object>(activities: T, limits: RetryLimits): T =>
  new Proxy(activities, {
    get: (target, name) => {
      const activity: unknown = Reflect.get(target, name);
      if (typeof activity !== 'function') return activity;
      return (...args: unknown[]) => retryByClass(String(name), () => activity(...args), limits);
    },
  });
