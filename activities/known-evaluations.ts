import { join } from 'node:path';
import type { ArtifactRef, CheckpointRef } from '../domain/artifact.ts';
import { bestCheckpoint } from '../domain/best-checkpoint.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { StageName } from '../domain/stage.ts';
import type { LoadedProtocol } from '../episodes/load-protocol.ts';
import { listCheckpoints } from '../processes/artifact.ts';
import { cachedEvaluation, type EvaluationRecord, type EvaluationRequest } from './evaluate-model.ts';
import type { Host } from './host.ts';

/** The models of a run whose training is done. */
export interface TrainedModels {
  readonly base: ArtifactRef;
  readonly sft: ArtifactRef;
  readonly rl: ArtifactRef;
  readonly data: ArtifactRef;
}

/** How many of a stage's evaluations exist already. */
export interface KnownEvaluations {
  readonly known: number;
  readonly total: number;
}

const suiteSize = 3;

/** What exists of the evaluations of a run's checkpoints, and of the suite over the best of them. */
export const knownEvaluations = async (
  host: Host,
  spec: RunSpec,
  protocol: LoadedProtocol,
  { base, sft, rl, data }: TrainedModels,
  anew: Partial<Record<StageName, string>>,
): Promise<{ checkpoints: KnownEvaluations; suite: KnownEvaluations }> => {
  const find = (
    modelName: string,
    checkpoint: string,
    model: ArtifactRef,
    split: EvaluationRequest['split'],
  ): Promise<EvaluationRecord | null> => {
    const stage = split === 'test' ? 'benchmark-suite' : 'evaluate-checkpoints';
    return cachedEvaluation(host, spec, protocol, { modelName, checkpoint, model, data, split }, anew[stage] ?? null);
  };

  const evaluated: { checkpoint: CheckpointRef; result: EvaluationRecord['result'] }[] = [];
  const checkpoints = await listCheckpoints(join(rl.path, '..'));
  for (const checkpoint of checkpoints) {
    const record = await find('rl', `checkpoint-${checkpoint.step}`, checkpoint, 'validation');
    if (record) evaluated.push({ checkpoint, result: record.result });
  }
  const best = evaluated.length === checkpoints.length ? bestCheckpoint(evaluated) : undefined;
  const suite = best
    ? await Promise.all([
        find('base', 'model', base, 'test'),
        find('sft', 'model', sft, 'test'),
        find('rl', `checkpoint-${best.step}`, best, 'test'),
      ])
    : [];
  return {
    checkpoints: { known: evaluated.length, total: checkpoints.length },
    suite: { known: suite.filter((record) => record !== null).length, total: suiteSize },
  };
};

/** Whether nothing is left to evaluate; without a checkpoint there is nothing that could be chosen. */
export const allKnown = ({ checkpoints, suite }: Awaited<ReturnType<typeof knownEvaluations>>): boolean =>
  checkpoints.total > 0 && checkpoints.known === checkpoints.total && suite.known === suite.total;
