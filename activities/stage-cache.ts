import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type ArtifactRef, artifactRefSchema } from '../domain/artifact.ts';
import { verifyArtifact } from '../processes/artifact.ts';
import { readJson, writeFileAtomic } from '../processes/atomic-file.ts';
import type { Host } from './host.ts';

const recordSchema = z.strictObject({
  stage: z.string(),
  key: z.string(),
  run: z.string(),
  /** Set where the artifact was asked for although there was one: the repetition that it belongs to. */
  anew: z.string().optional(),
  artifact: artifactRefSchema,
});

const recordPath = (host: Pick<Host, 'home'>, stage: string, key: string): string =>
  join(host.home, 'cache', `${stage}-${key.slice(0, 32)}.json`);

/**
 * The complete artifact that a stage with this key has left, in whichever run; undefined where there is none. A stage
 * that is wanted anew takes only what its own repetition has left.
 */
export const findCached = async (
  host: Pick<Host, 'home'>,
  stage: string,
  key: string,
  anew: string | null = null,
): Promise<ArtifactRef | undefined> => {
  const record = await readJson(recordPath(host, stage, key), recordSchema).catch(() => undefined);
  if (record?.key !== key || (anew !== null && record.anew !== anew)) return undefined;
  const verified = await verifyArtifact(record.artifact.path, { deep: false });
  return verified.ok && verified.manifest.digest === record.artifact.digest ? record.artifact : undefined;
};

/** Remembers a complete artifact under its stage's key. */
export const recordCached = async (
  host: Pick<Host, 'home'>,
  stage: string,
  key: string,
  run: string,
  artifact: ArtifactRef,
  anew: string | null = null,
): Promise<void> => {
  await mkdir(join(host.home, 'cache'), { recursive: true });
  await writeFileAtomic(
    recordPath(host, stage, key),
    `${JSON.stringify({ stage, key, run, ...(anew === null ? {} : { anew }), artifact }, null, 2)}\n`,
  );
};
