import { join } from 'node:path';
import type { PlanEntry, StageName } from '../domain/stage.ts';
import { loadProtocol } from '../episodes/load-protocol.ts';
import { allKnown, type KnownEvaluations, knownEvaluations, type TrainedModels } from './known-evaluations.ts';
import type { PlanContext } from './plan-context.ts';

const evaluationPlan = (entry: PlanEntry, { known, total }: KnownEvaluations, anew: boolean): PlanEntry => {
  if (total > 0 && known === total) return { ...entry, action: 'cached', why: `all ${total} evaluations exist` };
  const asked = anew ? 'it was asked for anew; ' : '';
  return { ...entry, why: `${asked}${known} of ${total} evaluations exist` };
};

/**
 * What the stages around RL would do: before it the judge and Ray, after it what is evaluated and decided. `models` is
 * undefined where one of them is still to be made.
 */
export const planEvaluations = async (
  { host, run, spec, anew }: PlanContext,
  models: TrainedModels | undefined,
): Promise<{ before: PlanEntry[]; after: PlanEntry[] }> => {
  const rest = (stage: StageName, gpus: number, outputs: string[], why: string): PlanEntry => ({
    stage,
    action: 'run',
    step: null,
    why,
    gpus,
    command: [],
    outputs,
  });
  const evaluations = [join(run.dir, 'evaluations')];
  const once = 'what exists for the same models and data is taken as it is';
  const checkpoints = rest('evaluate-checkpoints', spec.gpus.evaluation, evaluations, once);
  const suite = rest('benchmark-suite', spec.gpus.evaluation, evaluations, once);
  const known = models && (await knownEvaluations(host, spec, await loadProtocol(spec.protocol), models, anew));
  const nothingLeft = known !== undefined && allKnown(known);
  const judged = spec.judge.engine !== 'none';
  const skip = { action: 'skip', why: 'nothing is left to evaluate' } as const;
  const judge = rest('serve-judge', spec.gpus.judge, [], `${spec.judge.engine} serves ${spec.judge.model}`);
  const ray = rest('ray-cluster', 0, [], `waits for ${spec.gpus.rl} GPUs at ${host.rayAddress}`);
  return {
    before: [
      judged ? { ...judge, ...(nothingLeft ? skip : {}) } : { ...judge, action: 'skip', why: 'judge.engine is none' },
      { ...ray, ...(nothingLeft ? skip : {}) },
    ],
    after: [
      known ? evaluationPlan(checkpoints, known.checkpoints, 'evaluate-checkpoints' in anew) : checkpoints,
      known ? evaluationPlan(suite, known.suite, 'benchmark-suite' in anew) : suite,
      rest('promote', 0, [join(run.dir, 'promotion.json')], 'decided anew in every run'),
      rest('report', 0, [join(run.dir, 'report')], 'written anew in every run'),
    ],
  };
};
