import { createHash } from 'node:crypto';
import type { ArtifactManifest } from '../domain/artifact.ts';

export type ArtifactFile = ArtifactManifest['files'][number];

export const manifestName = 'manifest.json';

export const byCodeUnit = (a: ArtifactFile, b: ArtifactFile): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0;

/** SHA-256, in hex, of the lines `"{path} {size} {sha256}\n"` in the order of the paths. */
export const artifactDigest = (files: readonly ArtifactFile[]): string => {
  const lines = [...files].sort(byCodeUnit).map(({ path, size, sha256 }) => `${path} ${size} ${sha256}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
};
