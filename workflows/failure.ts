import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/workflow';
import { LensmithError } from '../domain/errors.ts';

/** The failure at the bottom of Temporal's wrappers: the one that says what happened. */
export const rootFailure = (error: unknown): Error => {
  let current = error instanceof Error ? error : new Error(String(error));
  while ((current instanceof ActivityFailure || current instanceof ChildWorkflowFailure) && current.cause)
    current = current.cause;
  return current;
};

/** One line for the live view. */
export const failureNote = (error: unknown): string => {
  const root = rootFailure(error);
  if (root instanceof TimeoutFailure) return `${root.timeoutType}: no worker of the host answered in time`;
  const type = root instanceof ApplicationFailure ? root.type : root.name;
  return `${type}: ${root.message.split('\n')[0]}`;
};

/** An error of the input ends the workflow at once, with its class. */
export const asInputFailure = (error: unknown): ApplicationFailure =>
  error instanceof LensmithError
    ? ApplicationFailure.nonRetryable(error.message, error.type, { where: error.where ?? null })
    : ApplicationFailure.nonRetryable(error instanceof Error ? error.message : String(error), 'config');
