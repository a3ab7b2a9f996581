import type { ArtifactRef } from '../domain/artifact.ts';
import type { RunRef, StageName, StageResult } from '../domain/stage.ts';
import type { Host } from './host.ts';
import { anewOf } from './read-run.ts';
import { findCached, recordCached } from './stage-cache.ts';

/** Gives the artifact that the key already has, or makes it and remembers it. */
export const withCache = async (
  host: Host,
  run: RunRef,
  stage: StageName,
  key: string,
  make: () => Promise<{ artifact: ArtifactRef; attempts: number }>,
): Promise<StageResult> => {
  const startedAt = Date.now();
  const anew = await anewOf(run, stage);
  const cached = await findCached(host, stage, key, anew);
  if (cached) return { state: 'cached', artifact: cached, attempts: 0, seconds: (Date.now() - startedAt) / 1000 };
  const { artifact, attempts } = await make();
  await recordCached(host, stage, key, run.run, artifact, anew);
  return { state: 'completed', artifact, attempts, seconds: (Date.now() - startedAt) / 1000 };
};
