import { join } from 'node:path';
import { z } from 'zod';
import type { ArtifactRef } from '../domain/artifact.ts';
import { LensmithError } from '../domain/errors.ts';

const filesSchema = z.record(z.string(), z.string());

/** The Parquet file that a `prepare-data` artifact has for a split. */
export const dataFile = (data: ArtifactRef, split: 'captions' | 'sft' | 'rl' | 'validation' | 'test'): string => {
  const file = filesSchema.safeParse(data.details.files).data?.[split];
  if (!file)
    throw new LensmithError('data', `expected a file for the split "${split}" in the manifest, got none`, {
      where: data.path,
    });
  return join('/', file.startsWith('/') ? file : join(data.path, file));
};
