import { join } from 'node:path';
import type { ArtifactRef } from '../domain/artifact.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { PlanEntry, RunRef, StageName } from '../domain/stage.ts';
import { type LoadedProtocol, loadProtocol } from '../episodes/load-protocol.ts';
import { newestCheckpoint } from '../processes/artifact.ts';
import { stageFolder } from './attempts.ts';
import type { Host } from './host.ts';
import { dataKey } from './prepare-data.ts';
import { pretrainedModel } from './pretrained-model.ts';
import { readSpec } from './read-run.ts';
import { findCached } from './stage-cache.ts';
import { baseModelKey } from './train-base-model.ts';
import { rlKey } from './train-rl.ts';
import { sftKey } from './train-sft.ts';
import { trainerCommand } from './trainer-command.ts';

interface StagePlan {
  readonly entry: PlanEntry;
  readonly artifact: ArtifactRef | undefined;
}

const program = (host: Host, run: Pick<RunRef, 'dir'>, stage: StageName, module: string, threads: number): string[] =>
  trainerCommand(host, module, join(stageFolder(run, stage), 'attempt-1', 'config.json'), threads).command;

/** What a stage with an artifact would do, given its key; `undefined` as key says that an input is not known yet. */
const planStage = async (
  host: Host,
  stage: StageName,
  key: string | undefined,
  options: { gpus: number; command: string[]; outputDir: string },
): Promise<StagePlan> => {
  const { gpus, command, outputDir } = options;
  const common = { stage, gpus, command, outputs: [outputDir] };
  const artifact = key === undefined ? undefined : await findCached(host, stage, key);
  if (artifact)
    return {
      artifact,
      entry: { ...common, action: 'cached', step: null, why: `the same inputs gave ${artifact.path}` },
    };
  const checkpoint = await newestCheckpoint(outputDir);
  const entry: PlanEntry = checkpoint
    ? { ...common, action: 'resume', step: checkpoint.step, why: `newest whole checkpoint is ${checkpoint.path}` }
    : {
        ...common,
        action: 'run',
        step: null,
        why: key === undefined ? 'an input is made anew' : 'no artifact has its key',
      };
  return { artifact: undefined, entry };
};

const planModels = async (
  host: Host,
  run: Pick<RunRef, 'dir'>,
  spec: RunSpec,
  protocol: LoadedProtocol,
): Promise<PlanEntry[]> => {
  const data = await planStage(host, 'prepare-data', await dataKey(spec, protocol), {
    gpus: 0,
    command: [],
    outputDir: join(run.dir, 'data'),
  });
  const base: StagePlan =
    spec.baseModel.kind === 'pretrained'
      ? {
          artifact: await pretrainedModel(spec.baseModel.path),
          entry: {
            stage: 'base-model',
            action: 'cached',
            step: null,
            why: 'the spec names a model',
            gpus: 0,
            command: [],
            outputs: [spec.baseModel.path],
          },
        }
      : await planStage(host, 'base-model', data.artifact && baseModelKey(spec, data.artifact), {
          gpus: 0,
          command: program(host, run, 'base-model', 'base_model', spec.baseModel.threads),
          outputDir: join(run.dir, 'base-model'),
        });
  const sft = await planStage(
    host,
    'sft',
    base.artifact && data.artifact && sftKey(spec, base.artifact, data.artifact),
    {
      gpus: spec.gpus.sft,
      command: program(host, run, 'sft', 'sft', spec.sft.threads),
      outputDir: join(run.dir, 'sft'),
    },
  );
  const rl = await planStage(
    host,
    'rl',
    sft.artifact && data.artifact && rlKey(spec, protocol, sft.artifact, data.artifact),
    {
      gpus: spec.gpus.rl,
      command: program(host, run, 'rl', 'rl', spec.rl.threads),
      outputDir: join(run.dir, 'checkpoints'),
    },
  );
  return [data, base, sft, rl].map(({ entry }) => entry);
};

/** What each stage of a run would do now: run, resume at a step, or be taken from the cache, with its command line. */
export const planStages = async (host: Host, run: Pick<RunRef, 'dir'>, spec: RunSpec): Promise<PlanEntry[]> => {
  const models = await planModels(host, run, spec, await loadProtocol(spec.protocol));
  const rest = (stage: StageName, gpus: number, outputs: string[]): PlanEntry => ({
    stage,
    action: 'run',
    step: null,
    why: 'what exists for the same models and data is taken as it is',
    gpus,
    command: [],
    outputs,
  });
  const [data, base, sft, rl] = models;
  if (!data || !base || !sft || !rl) throw new Error('expected four stages with an artifact');
  const judged = spec.judge.engine !== 'none';
  return [
    data,
    base,
    sft,
    {
      ...rest('serve-judge', spec.gpus.judge, []),
      action: judged ? 'run' : 'skip',
      why: judged ? `${spec.judge.engine} serves ${spec.judge.model}` : 'judge.engine is none',
    },
    { ...rest('ray-cluster', 0, []), why: `waits for ${spec.gpus.rl} GPUs at ${host.rayAddress}` },
    rl,
    rest('evaluate-checkpoints', spec.gpus.evaluation, [join(run.dir, 'evaluations')]),
    rest('benchmark-suite', spec.gpus.evaluation, [join(run.dir, 'evaluations')]),
    { ...rest('promote', 0, [join(run.dir, 'promotion.json')]), why: 'decided anew in every run' },
    { ...rest('report', 0, [join(run.dir, 'report')]), why: 'written anew in every run' },
  ];
};

/** The plan of an opened run. */
export const planRun =
  (host: Host) =>
  async (run: RunRef): Promise<PlanEntry[]> =>
    planStages(host, run, await readSpec(run));
