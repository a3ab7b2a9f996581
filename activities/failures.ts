import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { type FailureType, isFailureType, isPermanentFailure, LensmithError } from '../domain/errors.ts';

/** Turns what a stage threw into the failure that Temporal records; its `type` is the class of the failure. */
export const toApplicationFailure = (error: unknown): Error => {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (error instanceof LensmithError)
    return ApplicationFailure.create({
      type: error.type,
      message: error.where ? `${error.where}: ${error.message}` : error.message,
      nonRetryable: isPermanentFailure(error.type),
      ...(error.details === undefined ? {} : { details: [error.details] }),
      ...(error.cause instanceof Error ? { cause: error.cause } : {}),
    });
  if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT'))
    return ApplicationFailure.create({ type: 'disk_full', message: error.message, cause: error });
  return error instanceof Error ? error : new Error(String(error));
};

/** Wraps each activity of a table so that every failure leaves it typed. */
export const withTypedFailures = <T extends Record<string, (...args: never[]) => Promise<unknown>>>(table: T): T =>
  Object.fromEntries(
    Object.entries(table).map(([name, activity]) => [
      name,
      async (...args: never[]) => {
        try {
          return await activity(...args);
        } catch (error) {
          throw toApplicationFailure(error);
        }
      },
    ]),
  ) as T;

/** The typed failure below Temporal's wrappers, which says what happened and where; undefined where none is typed. */
export const typedFailureOf = (error: unknown): { type: FailureType; message: string } | undefined => {
  let current: unknown = error;
  while (current instanceof Error) {
    if ('type' in current && isFailureType(current.type)) return { type: current.type, message: current.message };
    current = current.cause;
  }
  return undefined;
};

/** The class of a failure as seen from a workflow or a client, through Temporal's wrappers. */
export const failureTypeOf = (error: unknown): FailureType | undefined => typedFailureOf(error)?.type;
