import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactManifest, CheckpointRef } from '../domain/artifact.ts';
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

/** A folder that has the name of a checkpoint. */
export type CheckpointFolder =
  | {
      readonly whole: true;
      readonly step: number;
      readonly checkpoint: CheckpointRef;
      readonly manifest: ArtifactManifest;
    }
  | { readonly whole: false; readonly step: number; readonly path: string; readonly reason: string };

const examine = async (dir: string, step: number, deep: boolean): Promise<CheckpointFolder> => {
  const path = join(dir, `checkpoint-${step}`);
  const verified = await verifyArtifact(path, { deep });
  if (!verified.ok) return { whole: false, step, path, reason: verified.reason };
  const { manifest } = verified;
  if (manifest.kind !== 'checkpoint')
    return { whole: false, step, path, reason: `${path} is a ${manifest.kind}, not a checkpoint` };
  const { digest, details } = manifest;
  return { whole: true, step, checkpoint: { kind: 'checkpoint', path, digest, details, step }, manifest };
};

/** Every folder `checkpoint-<step>`, oldest first, with what is wrong with it; `deep` compares every byte. */
export const examineCheckpoints = async (
  dir: string,
  { deep }: { readonly deep: boolean },
): Promise<CheckpointFolder[]> => {
  const found = [];
  for (const step of await stepsIn(dir)) found.push(await examine(dir, step, deep));
  return found;
};

/** The complete checkpoints `checkpoint-<step>` of a folder, oldest first; none where the folder does not exist. */
export const listCheckpoints = async (dir: string): Promise<CheckpointRef[]> =>
  (await examineCheckpoints(dir, { deep: false })).flatMap((found) => (found.whole ? found.checkpoint : []));

/** Where training can go on, and the newer folders that cannot be used, newest first, each with its reason. */
export interface ResumePoint {
  readonly checkpoint: CheckpointRef | undefined;
  readonly passedOver: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * Looks for the checkpoint to go on from: the one of the highest step that is complete and whose content is what its
 * manifest says. Temporary folders do not count.
 */
export const findResumePoint = async (dir: string): Promise<ResumePoint> => {
  const passedOver = [];
  for (const step of (await stepsIn(dir)).reverse()) {
    const found = await examine(dir, step, true);
    if (found.whole) return { checkpoint: found.checkpoint, passedOver };
    passedOver.push({ path: found.path, reason: found.reason });
  }
  return { checkpoint: undefined, passedOver };
};

/** The checkpoint to go on from; torn ones are passed over. */
export const newestCheckpoint = async (dir: string): Promise<CheckpointRef | undefined> =>
  (await findResumePoint(dir)).checkpoint;
