import { type FailureType, isPermanentFailure } from './errors.ts';
import { type RetryableFailure, type RetryBudgets, retryRules } from './failure-class.ts';

/** One failure of a stage as far as it matters for another attempt; see `FailureDetails`. */
export interface StageFailure {
  readonly type: FailureType;
  readonly step: number | null;
  readonly remedy?: string | null | undefined;
}

export type RetryDecision =
  | { readonly retry: true; readonly seconds: number; readonly left: number }
  /** `type` is the class to fail with: that of the failure, or `crash_loop`. `why` is empty where the class says it all. */
  | { readonly retry: false; readonly type: FailureType; readonly why: string };

/** So many failures in a row without a new step are a crash loop. */
export const crashLoopFailures = 3;

/** What says nothing about the program: it was stopped, or only its watcher was. */
const external: readonly FailureType[] = ['worker_lost', 'ray_head', 'preemption'];

/** Failures at the end of the list none of which went past the highest step before it. */
const withoutNewStep = (failures: readonly StageFailure[]): number => {
  let highest = -1;
  let count = 0;
  for (const { type, step } of failures) {
    if (step === null || external.includes(type)) continue;
    count = step > highest ? 1 : count + 1;
    highest = Math.max(highest, step);
  }
  return count;
};

const budgetOf = (type: RetryableFailure, budgets: RetryBudgets, attempts: number): number =>
  budgets[type] ?? attempts - 1;

/**
 * Decides about another attempt of a stage after its failures so far, oldest first. A class has a budget for the whole
 * stage; its waits double. A failure that changes its parameters each time is not a crash loop.
 *
 * @param attempts - `limits.attempts`, from which the budget of `infrastructure` is taken where it has none.
 */
export const decideRetry = (
  failures: readonly StageFailure[],
  budgets: RetryBudgets,
  attempts: number,
): RetryDecision => {
  const last = failures.at(-1);
  if (!last) throw new Error('expected at least one failure');
  const { type, step, remedy } = last;
  if (isPermanentFailure(type)) return { retry: false, type, why: '' };
  if (remedy === null) return { retry: false, type, why: 'no parameter that may change is left to change' };
  const repeated = remedy === undefined ? withoutNewStep(failures) : 0;
  if (repeated >= crashLoopFailures)
    return {
      retry: false,
      type: 'crash_loop',
      why: `${repeated} failures in a row, the last (${type}) at step ${step}, and none got further`,
    };
  const used = failures.filter((failure) => failure.type === type).length;
  const limit = budgetOf(type, budgets, attempts);
  if (used > limit) {
    const name =
      type === 'infrastructure' && budgets[type] === null
        ? `limits.attempts = ${attempts}`
        : `limits.retries.${type} = ${limit}`;
    return { retry: false, type, why: limit === 0 ? '' : `the retries after this class are used up (${name})` };
  }
  const { firstSeconds, maxSeconds } = retryRules[type];
  return { retry: true, seconds: Math.min(maxSeconds, firstSeconds * 2 ** (used - 1)), left: limit - used };
};
