import { CancelledFailure, TerminatedFailure, type WorkflowFailedError } from '@temporalio/client';
import { typedFailureOf } from '../activities/failures.ts';
import type { FailureType } from '../domain/errors.ts';

const deepestMessage = (error: Error): string =>
  error.cause instanceof Error ? deepestMessage(error.cause) : error.message;

const isEndedByHand = ({ cause }: WorkflowFailedError): boolean =>
  cause instanceof CancelledFailure || cause instanceof TerminatedFailure;

/** Why a run failed: the class of the failure, and what was said of it. */
export const runFailure = (error: WorkflowFailedError): { type: FailureType; message: string } =>
  typedFailureOf(error) ?? {
    type: isEndedByHand(error) ? 'cancelled' : 'infrastructure',
    message: deepestMessage(error),
  };
