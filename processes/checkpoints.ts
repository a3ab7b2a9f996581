import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointRef } from '../domain/artifact.ts';
import { verifyArtifact } from './verify-artifact.ts';

const stepsIn = async (dir: string): Promise<number[]> => {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((name) => /^checkpoint-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
};

const checkpointAt = async (dir: string, step: number, deep: boolean): Promise<CheckpointRef | undefined> => {
  const path = join(dir, `checkpoint-${step}`);
  const verified = await verifyArtifact(path, { deep });
  if (!verified.ok || verified.manifest.kind !== 'checkpoint') return undefined;
  const { digest, details } = verified.manifest;
  return { kind: 'checkpoint', path, digest, details, step };
};

/** The complete checkpoints `checkpoint-<step>` of a folder, oldest first; none where the folder does not exist. */
export const listCheckpoints = async (dir: string): Promise<CheckpointRef[]> => {
  const found = [];
  for (const step of await stepsIn(dir)) found.push(await checkpointAt(dir, step, false));
  return found.flatMap((checkpoint) => checkpoint ?? []);
};

/**
 * The checkpoint to go on from: the one of the highest step that is complete and whose content is what its manifest
 * says. Torn and temporary folders are passed over.
 */
export const newestCheckpoint = async (dir: string): Promise<CheckpointRef | undefined> => {
  for (const step of (await stepsIn(dir)).reverse()) {
    const checkpoint = await checkpointAt(dir, step, true);
    if (checkpoint) return checkpoint;
  }
  return undefined;
};
