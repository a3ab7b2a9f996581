import { randomBytes } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from './sync-folder.ts';

const tombPattern = /^\.checkpoint-\d+\.[0-9a-f]{8}\.tomb$/;

export const isTomb = (name: string): boolean => tombPattern.test(name);

/**
 * Deletes a checkpoint so that at every moment it is whole under its name or not there at all: it takes the name of a
 * tomb first, which nothing reads. One that is gone already is fine.
 */
export const deleteCheckpoint = async (path: string): Promise<void> => {
  const folder = dirname(path);
  const tomb = join(folder, `.${basename(path)}.${randomBytes(4).toString('hex')}.tomb`);
  try {
    await rename(path, tomb);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  // Else a crash of the machine could bring back the name with half of its files.
  await syncFolder(folder);
  await rm(tomb, { recursive: true, force: true });
};

/** Deletes the tombs in a folder that deletions have left which were cut off; returns their number. */
export const sweepTombs = async (folder: string): Promise<number> => {
  const tombs = (await readdir(folder).catch(() => [])).filter(isTomb);
  for (const tomb of tombs) await rm(join(folder, tomb), { recursive: true, force: true });
  return tombs.length;
};
