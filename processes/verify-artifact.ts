import { access, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import { type ArtifactManifest, artifactManifestSchema } from '../domain/artifact.ts';
import { LensmithError } from '../domain/errors.ts';
import { type ArtifactFile, artifactDigest, manifestName } from './artifact-digest.ts';
import { readJson } from './atomic-file.ts';
import { hashFile } from './hash-file.ts';

export type Verification =
  | { readonly ok: true; readonly manifest: ArtifactManifest }
  | { readonly ok: false; readonly reason: string };

const faultOf = async (dir: string, file: ArtifactFile, deep: boolean): Promise<string | undefined> => {
  if (isAbsolute(file.path) || normalize(file.path).startsWith('..')) return `${file.path} lies outside the artifact`;
  const path = join(dir, file.path);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return `${file.path} is missing`;
  if (found.size !== file.size) return `${file.path} has ${found.size} bytes instead of ${file.size}`;
  if (deep && (await hashFile(path)).sha256 !== file.sha256) return `the content of ${file.path} has changed`;
  return undefined;
};

/**
 * Says whether a folder is a complete artifact: its manifest is valid and agrees with itself, every file is there with
 * its size and, where `deep`, with its content. Files that the manifest does not list do not matter.
 */
export const verifyArtifact = async (dir: string, { deep }: { readonly deep: boolean }): Promise<Verification> => {
  const path = join(dir, manifestName);
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) return { ok: false, reason: `${dir} has no ${manifestName}` };
  const manifest = await readJson(path, artifactManifestSchema).catch((error: unknown) => {
    if (error instanceof LensmithError) return error;
    throw error;
  });
  if (manifest instanceof LensmithError) return { ok: false, reason: manifest.message };
  if (artifactDigest(manifest.files) !== manifest.digest)
    return { ok: false, reason: `the digest in ${path} does not fit the files it lists` };
  for (const file of manifest.files) {
    const fault = await faultOf(dir, file, deep);
    if (fault !== undefined) return { ok: false, reason: `${dir}: ${fault}` };
  }
  return { ok: true, manifest };
};
