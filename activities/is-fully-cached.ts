import type { ArtifactRef } from '../domain/artifact.ts';
import type { RunRef } from '../domain/stage.ts';
import { loadProtocol } from '../episodes/load-protocol.ts';
import type { Host } from './host.ts';
import { allKnown, knownEvaluations } from './known-evaluations.ts';
import { readRunFile } from './read-run.ts';
import { findCached } from './stage-cache.ts';
import { rewardJudgeIds } from './stage-judge.ts';
import { rlKey } from './train-rl.ts';

/** Whether RL and every evaluation of the run exist already, so that neither Ray nor the judge is needed. */
export const isFullyCached =
  (host: Host) =>
  async (run: RunRef, base: ArtifactRef, sft: ArtifactRef, data: ArtifactRef): Promise<boolean> => {
    const { spec, anew = {} } = await readRunFile(run);
    const protocol = await loadProtocol(spec.protocol);
    const key = rlKey(spec, protocol, sft, data, await rewardJudgeIds(host, spec));
    const rl = await findCached(host, 'rl', key, anew.rl ?? null);
    return rl ? allKnown(await knownEvaluations(host, spec, protocol, { base, sft, rl, data }, anew)) : false;
  };
