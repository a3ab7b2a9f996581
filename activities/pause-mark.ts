import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunRef } from '../domain/stage.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import { readSpec } from './read-run.ts';

/** Lies in the folder of a run whose programs are to save before they end. */
const markPath = (run: Pick<RunRef, 'dir'>): string => join(run.dir, 'pause.json');

/** Whether the programs of a run are to save before they end. */
export const isPausing = (run: Pick<RunRef, 'dir'>): Promise<boolean> =>
  access(markPath(run)).then(
    () => true,
    () => false,
  );

/** From now on a program of the run that is told to end may first get to its next boundary and save there. */
export const markPause =
  () =>
  async (run: RunRef): Promise<void> => {
    const { limits } = await readSpec(run);
    const mark = { version: 1, at: new Date().toISOString(), seconds: limits.pauseSeconds };
    await writeFileAtomic(markPath(run), `${JSON.stringify(mark, null, 2)}\n`);
  };

/** Programs of the run end at once again where they are told to. */
export const clearPause =
  () =>
  async (run: RunRef): Promise<void> =>
    rm(markPath(run), { force: true });
