import { z } from 'zod';

export const artifactKinds = ['dataset', 'model', 'checkpoint', 'evaluation', 'report'] as const;

/** One file of an artifact: its path relative to the artifact's folder, with `/` separators. */
export const artifactFileSchema = z.strictObject({
  path: z.string().min(1),
  size: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/**
 * `manifest.json`, written last into an artifact's folder: a folder without a valid one is not an artifact.
 *
 * `digest` is the SHA-256, in hex, of the lines `"{path} {size} {sha256}\n"` of `files` in the order of their paths
 * (compared by code unit). The manifest itself is not listed.
 */
export const artifactManifestSchema = z.strictObject({
  version: z.literal(1),
  kind: z.enum(artifactKinds),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  files: z.array(artifactFileSchema),
  createdAt: z.iso.datetime(),
  /** What the producer wants a reader to know: counts, seed, schema, step. */
  details: z.record(z.string(), z.unknown()),
});
export type ArtifactManifest = z.infer<typeof artifactManifestSchema>;

/** A reference to a complete artifact on a host's disk. */
export const artifactRefSchema = z.strictObject({
  kind: z.enum(artifactKinds),
  path: z.string(),
  digest: z.string(),
  details: z.record(z.string(), z.unknown()),
});
export type ArtifactRef = z.infer<typeof artifactRefSchema>;

/** A complete checkpoint: `path` is the folder of its manifest, `step` the optimiser steps it has behind it. */
export const checkpointRefSchema = artifactRefSchema.extend({ step: z.int().nonnegative() });
export type CheckpointRef = z.infer<typeof checkpointRefSchema>;
