import { join } from 'node:path';
import type { ArtifactManifest, ArtifactRef } from '../domain/artifact.ts';
import { type ArtifactFile, artifactDigest, byCodeUnit, manifestName } from './artifact-digest.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { hashFile, listFiles } from './hash-file.ts';

/**
 * Makes a folder an artifact: every file in it goes to disk and into its manifest, which is written last. What is in
 * the folder must be complete and must not change afterwards.
 *
 * @throws LensmithError `data` for a folder that holds anything but files and folders.
 */
export const publishArtifact = async (
  dir: string,
  kind: ArtifactManifest['kind'],
  details: Record<string, unknown>,
): Promise<ArtifactRef> => {
  const files: ArtifactFile[] = [];
  for (const path of (await listFiles(dir)).filter((name) => name !== manifestName))
    files.push({ path, ...(await hashFile(join(dir, path))) });
  files.sort(byCodeUnit);
  const manifest: ArtifactManifest = {
    version: 1,
    kind,
    digest: artifactDigest(files),
    files,
    createdAt: new Date().toISOString(),
    details,
  };
  await writeFileAtomic(join(dir, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  return { kind, path: dir, digest: manifest.digest, details };
};
