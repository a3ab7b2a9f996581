import type { ArtifactRef } from '../domain/artifact.ts';
import type { RunRef, StageResult } from '../domain/stage.ts';
import type { Host } from './host.ts';
import { findCached, recordCached } from './stage-cache.ts';

/** Gives the artifact that the key already has, or makes it and remembers it. */
export const withCache = async (
  host: Host,
  run: RunRef,
  stage: string,
  key: string,
  make: () => Promise<{ artifact: ArtifactRef; attempts: number }>,
): Promise<StageResult> => {
  const startedAt = Date.now();
  const cached = await findCached(host, stage, key);
  if (cached) return { state: 'cached', artifact: cached, attempts: 0, seconds: (Date.now() - startedAt) / 1000 };
  const { artifact, attempts } = await make();
  await recordCached(host, stage, key, run.run, artifact);
  return { state: 'completed', artifact, attempts, seconds: (Date.now() - startedAt) / 1000 };
};
