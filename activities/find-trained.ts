import type { ArtifactRef } from '../domain/artifact.ts';
import type { RunRef, StageResult } from '../domain/stage.ts';
import { loadProtocol } from '../episodes/load-protocol.ts';
import type { Host } from './host.ts';
import { readRunFile } from './read-run.ts';
import { findCached } from './stage-cache.ts';
import { rewardJudgeIds } from './stage-judge.ts';
import { rlKey } from './train-rl.ts';
import { sftKey } from './train-sft.ts';

/** What SFT or RL would take out of the cache, so that no GPU is leased for it; `model` is the one that it begins with. */
export const findTrained =
  (host: Host) =>
  async (run: RunRef, stage: 'sft' | 'rl', model: ArtifactRef, data: ArtifactRef): Promise<StageResult | null> => {
    const { spec, anew } = await readRunFile(run);
    const key =
      stage === 'sft'
        ? sftKey(spec, model, data)
        : rlKey(spec, await loadProtocol(spec.protocol), model, data, await rewardJudgeIds(host, spec));
    const artifact = await findCached(host, stage, key, anew?.[stage] ?? null);
    return artifact ? { state: 'cached', artifact, attempts: 0, seconds: 0 } : null;
  };
