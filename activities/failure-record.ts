import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import { type FailureDetails, type FailureRecord, failureRecordSchema } from '../domain/failure-class.ts';
import { classifyEnding, type FailureClass } from '../domain/failure-class-of-ending.ts';
import { type Outcome, outcomeSchema, type Progress, progressSchema } from '../domain/progress.ts';
import { readJson, writeFileAtomic } from '../processes/atomic-file.ts';
import { tailLines } from '../processes/tail-file.ts';
import type { Attempt } from './attempts.ts';
import type { ProgramEnd } from './program-launcher.ts';

/** Lines of a log that are searched for what ended its program. */
const searchedLines = 300;
const shownLines = 15;

export const lastProgress = (attempt: Attempt): Promise<Progress | undefined> =>
  readJson(attempt.progress, progressSchema).catch(() => undefined);

/** What the program said at its end; undefined where it did not get to it. */
export const outcomeOf = async (attempt: Attempt): Promise<Outcome | undefined> => {
  const exists = await stat(attempt.outcome).catch(() => undefined);
  return exists ? readJson(attempt.outcome, outcomeSchema) : undefined;
};

/** Why an attempt failed; undefined where that was not written down. */
export const readFailure = (attempt: Attempt): Promise<FailureRecord | undefined> =>
  readJson(attempt.failure, failureRecordSchema).catch(() => undefined);

export const lastLines = async (attempt: Attempt): Promise<string> => {
  const lines = await tailLines(attempt.log, shownLines).catch(() => []);
  return lines.length === 0 ? '' : `\nthe end of ${attempt.log}:\n${lines.join('\n')}`;
};

const configSchema = z.looseObject({ microBatchSize: z.int().positive() });

const microBatchOf = (attempt: Attempt): Promise<number | null> =>
  readJson(attempt.config, configSchema).then(
    ({ microBatchSize }) => microBatchSize,
    () => null,
  );

/** The class of an attempt that ended without success. */
export const classifyAttempt = async (
  attempt: Attempt,
  end: ProgramEnd,
  kernelKilled: boolean,
): Promise<FailureClass> => {
  // What cannot be read says nothing; the log and the exit code still do.
  const outcome = await outcomeOf(attempt).catch(() => undefined);
  return classifyEnding({
    ...end,
    kernelKilled,
    reported: outcome?.status === 'failed' ? outcome.failure : undefined,
    log: await tailLines(attempt.log, searchedLines).catch(() => []),
  });
};

/** Null: it can only fail again; undefined: nothing has to change. */
const remedyFor = (
  type: FailureRecord['type'],
  microBatchSize: number | null,
  shrink: ((size: number) => number | null) | undefined,
): string | null | undefined => {
  if (type !== 'out_of_memory' && type !== 'host_memory') return undefined;
  const next = microBatchSize === null ? null : (shrink?.(microBatchSize) ?? null);
  if (next !== null) return `microBatchSize ${microBatchSize} → ${next}`;
  // The memory of a machine is shared: others may leave some.
  return type === 'out_of_memory' ? null : undefined;
};

/**
 * Writes down why an attempt failed, and gives the error to fail with: its details say how far the attempt got and what
 * the next one changes.
 */
export const recordFailure = async (
  attempt: Attempt,
  { type, evidence }: FailureClass,
  message: string,
  shrink?: (microBatchSize: number) => number | null,
): Promise<LensmithError> => {
  const progress = await lastProgress(attempt);
  const atSteps = progress !== undefined && progress.phase !== 'launching' && progress.phase !== 'loading';
  const microBatchSize = await microBatchOf(attempt);
  const remedy = remedyFor(type, microBatchSize, shrink);
  const step = atSteps ? progress.step : null;
  const record: FailureRecord = {
    version: 1,
    type,
    evidence,
    message,
    attempt: attempt.number,
    step,
    microBatchSize,
    remedy: remedy ?? null,
    at: Date.now(),
  };
  await writeFileAtomic(attempt.failure, `${JSON.stringify(record, null, 2)}\n`);
  const details: FailureDetails = { attempt: attempt.number, step, remedy };
  // A stop for the budget is no fault of the program, whose words would only hide the reason.
  const words = type === 'budget' ? '' : await lastLines(attempt);
  return new LensmithError(type, `${message}${words}`, { where: attempt.dir, details });
};
