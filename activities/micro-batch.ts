import type { RunRef } from '../domain/stage.ts';
import { listAttempts } from './attempts.ts';
import { readFailure } from './failure-record.ts';

/** The sequences that a program takes through the model at once. It changes memory and time, not what is learnt. */
export interface MicroBatch {
  /** Of the spec. */
  readonly size: number;
  /** The batch that a micro-batch has to divide; null where any size will do. */
  readonly divides: number | null;
}

/** The largest micro-batch that is at most half as large; null where there is none. */
export const smallerMicroBatch = (size: number, divides: number | null): number | null => {
  for (let next = Math.floor(size / 2); next >= 1; next -= 1) if (divides === null || divides % next === 0) return next;
  return null;
};

/**
 * The micro-batch of a stage's next attempt: that of the spec, or less where an attempt of this run has run out of
 * memory with it. The batch stays, so that more gradients are accumulated.
 */
export const nextMicroBatch = async (
  run: Pick<RunRef, 'dir'>,
  stage: string,
  { size, divides }: MicroBatch,
): Promise<number> => {
  const failures = await Promise.all((await listAttempts(run, stage)).map(readFailure));
  const limits = failures.flatMap((failure) => {
    if (failure?.type !== 'out_of_memory' && failure?.type !== 'host_memory') return [];
    return failure.microBatchSize === null ? [] : (smallerMicroBatch(failure.microBatchSize, divides) ?? []);
  });
  return Math.min(size, ...limits);
};
