import { join } from 'node:path';
import type { ArtifactRef, CheckpointRef } from '../domain/artifact.ts';
import { bestCheckpoint } from '../domain/best-checkpoint.ts';
import type { RunRef } from '../domain/stage.ts';
import { loadProtocol } from '../episodes/load-protocol.ts';
import { listCheckpoints } from '../processes/artifact.ts';
import { type EvaluationRecord, type EvaluationRequest, findEvaluation } from './evaluate-model.ts';
import type { Host } from './host.ts';
import { readSpec } from './read-run.ts';
import { findCached } from './stage-cache.ts';
import { rlKey } from './train-rl.ts';

/** Whether RL and every evaluation of the run exist already, so that neither Ray nor the judge is needed. */
export const isFullyCached =
  (host: Host) =>
  async (run: RunRef, base: ArtifactRef, sft: ArtifactRef, data: ArtifactRef): Promise<boolean> => {
    const spec = await readSpec(run);
    const rl = await findCached(host, 'rl', rlKey(spec, await loadProtocol(spec.protocol), sft, data));
    if (!rl) return false;
    const find = (
      modelName: string,
      checkpoint: string,
      model: ArtifactRef,
      split: EvaluationRequest['split'],
    ): Promise<EvaluationRecord | null> =>
      findEvaluation(host)(run, { modelName, checkpoint, model, data, split, stage: 'evaluate-checkpoints' });

    const evaluated: { checkpoint: CheckpointRef; result: EvaluationRecord['result'] }[] = [];
    for (const checkpoint of await listCheckpoints(join(rl.path, '..'))) {
      const record = await find('rl', `checkpoint-${checkpoint.step}`, checkpoint, 'validation');
      if (!record) return false;
      evaluated.push({ checkpoint, result: record.result });
    }
    const best = bestCheckpoint(evaluated);
    if (!best) return false;
    const suite = await Promise.all([
      find('base', 'model', base, 'test'),
      find('sft', 'model', sft, 'test'),
      find('rl', `checkpoint-${best.step}`, best, 'test'),
    ]);
    return suite.every((record) => record !== null);
  };
