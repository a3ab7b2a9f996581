import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LensmithError } from '../domain/errors.ts';
import type { RunRef } from '../domain/stage.ts';
import { stageFolder } from './attempts.ts';

const fencesOf = (run: Pick<RunRef, 'dir'>, stage: string): string => join(stageFolder(run, stage), 'fences');

/** Tells a program under a lease where it finds out that a newer lease has taken its stage over. */
export const fenceEnvironment = (run: Pick<RunRef, 'dir' | 'lease'>, stage: string): Record<string, string> =>
  run.lease ? { LENSMITH_FENCES: fencesOf(run, stage) } : {};

/** Fences under which a stage of a run was worked on, in their order. */
export const listFences = async (run: Pick<RunRef, 'dir'>, stage: string): Promise<number[]> => {
  const names = await readdir(fencesOf(run, stage)).catch(() => []);
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
};

/** Whether a newer lease has taken the stage over, so that what was under this one is none of its business any more. */
export const isSuperseded = async ({ lease, ...run }: Pick<RunRef, 'dir' | 'lease'>, stage: string): Promise<boolean> =>
  lease !== undefined && ((await listFences(run, stage)).at(-1) ?? 0) > lease.fence;

/**
 * Leaves the mark of a lease in the folder of the stage, which all hosts share, and looks whether a newer lease has left
 * one. Each owner writes before it reads, so of two at once at least the older one sees the other.
 *
 * @throws LensmithError `infrastructure` where the stage belongs to a newer lease
 */
export const claimStage = async (run: Pick<RunRef, 'dir' | 'lease'>, stage: string): Promise<void> => {
  const { lease } = run;
  if (!lease) return;
  const folder = fencesOf(run, stage);
  await mkdir(folder, { recursive: true });
  const mark = await open(join(folder, String(lease.fence)), 'a');
  try {
    await mark.sync();
  } finally {
    await mark.close();
  }
  if (await isSuperseded(run, stage))
    throw new LensmithError(
      'infrastructure',
      `expected the newest lease of the stage ${stage}, got one (fence ${lease.fence}) that a newer one has followed`,
      { where: folder },
    );
};
