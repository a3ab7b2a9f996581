import { CancelledFailure, TerminatedFailure, type WorkflowFailedError } from '@temporalio/client';
import { typedFailureOf } from '../activities/failures.ts';
import type { FailureType } from '../domain/errors.ts';

const deepest = (error: Error): Error => (error.cause instanceof Error ? deepest(error.cause) : error);

const isEndedByHand = (error: Error): boolean =>
  error instanceof CancelledFailure || error instanceof TerminatedFailure;

/** Why a run failed: the class of the failure, and what was said of it. */
export const runFailure = (error: WorkflowFailedError): { type: FailureType; message: string } => {
  const typed = typedFailureOf(error);
  if (typed) return typed;
  const { cause } = error;
  const type = cause instanceof Error && isEndedByHand(cause) ? 'cancelled' : 'infrastructure';
  return { type, message: deepest(error).message };
};
