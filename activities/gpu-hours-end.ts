import { stat } from 'node:fs/promises';
import { readExit } from '../processes/ledger.ts';
import type { Attempt } from './attempts.ts';
import { lastProgress } from './failure-record.ts';

/**
 * When an attempt that is over ended, Unix time in milliseconds: by its exit code, its outcome or its last progress.
 *
 * @param seenAt - When it was last known to live; 0 where nobody saw it.
 */
export const endOfAttempt = async (attempt: Attempt, seenAt: number): Promise<number> => {
  const exit = await readExit(attempt.dir).catch(() => undefined);
  const outcome = await stat(attempt.outcome).catch(() => undefined);
  const progress = await lastProgress(attempt);
  return Math.round(Math.max(seenAt, exit ? exit.at * 1000 : 0, outcome?.mtimeMs ?? 0, progress?.at ?? 0));
};
