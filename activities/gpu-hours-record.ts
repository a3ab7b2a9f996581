import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type UsageFact, usageFactSchema } from '../domain/gpu-hours-facts.ts';
import type { RunRef } from '../domain/stage.ts';
import { appendLine, readLines } from '../processes/append-line.ts';

const fileOf = (run: Pick<RunRef, 'dir'>): string => join(run.dir, 'gpu-hours.jsonl');

/** Adds a fact to `gpu-hours.jsonl` of a run. */
export const addUsageFact = (run: Pick<RunRef, 'dir'>, fact: UsageFact): Promise<void> => appendLine(fileOf(run), fact);

/** The facts of a run, in the order in which they were written. */
export const readUsageFacts = (run: Pick<RunRef, 'dir'>): Promise<UsageFact[]> =>
  readLines(fileOf(run), usageFactSchema);

/** Reads the facts of a run again only where some were added. */
export const usageFactReader = (run: Pick<RunRef, 'dir'>): (() => Promise<readonly UsageFact[]>) => {
  let size = -1;
  let facts: readonly UsageFact[] = [];
  return async () => {
    const now = (await stat(fileOf(run)).catch(() => undefined))?.size ?? 0;
    if (now !== size) {
      facts = await readUsageFacts(run);
      size = now;
    }
    return facts;
  };
};
