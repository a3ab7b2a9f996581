import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointRef } from '../../domain/artifact.ts';
import { publishArtifact } from '../../processes/artifact.ts';

/** Writes a whole checkpoint of so many files. */
export const makeCheckpoint = async (outputDir: string, step: number, files = 1): Promise<CheckpointRef> => {
  const path = join(outputDir, `checkpoint-${step}`);
  await mkdir(path, { recursive: true });
  for (let index = 0; index < files; index += 1)
    await writeFile(join(path, `part-${index}`), `part ${index} of the state after ${step} steps`);
  const { digest, details } = await publishArtifact(path, 'checkpoint', { step });
  return { kind: 'checkpoint', path, digest, details, step };
};
