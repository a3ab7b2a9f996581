import { join } from 'node:path';
import type { ArtifactRef } from '../domain/artifact.ts';
import { type KeyParts, keyChanges } from '../domain/key-parts.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { PlanEntry, RunRef, StageName } from '../domain/stage.ts';
import { loadProtocol } from '../episodes/load-protocol.ts';
import { findResumePoint } from '../processes/artifact.ts';
import { stageFolder } from './attempts.ts';
import type { Host } from './host.ts';
import type { PlanContext } from './plan-context.ts';
import { planEvaluations } from './plan-evaluations.ts';
import { dataParts } from './prepare-data.ts';
import { pretrainedModel } from './pretrained-model.ts';
import { readRunFile } from './read-run.ts';
import { findCached } from './stage-cache.ts';
import { rewardJudgeIds } from './stage-judge.ts';
import { findOutput, type OutputStage, outputNames, readOutputs } from './stage-outputs.ts';
import { baseModelParts } from './train-base-model.ts';
import { rlParts } from './train-rl.ts';
import { sftParts } from './train-sft.ts';
import { trainerCommand } from './trainer-command.ts';

interface StagePlan {
  readonly entry: PlanEntry;
  readonly artifact: ArtifactRef | undefined;
}

const program = ({ host, run }: PlanContext, stage: StageName, module: string, threads: number): string[] =>
  trainerCommand(host, module, join(stageFolder(run, stage), 'attempt-1', 'config.json'), threads).command;

/** Why a stage cannot be taken from the cache: what is new against its last time in this run. */
const whyRun = async ({ run }: PlanContext, stage: OutputStage, parts: KeyParts): Promise<string> => {
  const last = await readOutputs(run, stage);
  const changes = last ? keyChanges(last.parts, parts) : [];
  if (changes.length > 0) return changes.join('; ');
  return last ? 'it was begun, and left nothing to go on from' : 'no artifact has its key';
};

/** What a stage would do whose key is not known yet, because an input of it is made first. */
const planUnknown = async (
  { run, anew }: PlanContext,
  stage: OutputStage,
  input: string,
  { gpus, command }: { gpus: number; command: string[] },
): Promise<StagePlan> => {
  const last = await readOutputs(run, stage);
  const dir = join(run.dir, last?.folder ?? outputNames[stage]);
  const checkpoint = anew[stage] === undefined ? (await findResumePoint(dir)).checkpoint : undefined;
  const common = { stage, gpus, command, outputs: [dir] };
  const why = `its input ${input} is made anew`;
  if (!checkpoint) return { artifact: undefined, entry: { ...common, action: 'run', step: null, why } };
  const { step } = checkpoint;
  // Without a record of its key nothing could tell that the checkpoint belongs to another one.
  if (!last)
    return { artifact: undefined, entry: { ...common, action: 'resume', step, why: `${why}; ${checkpoint.path}` } };
  const same = `${why}; where that comes out as before, it goes on at step ${step}`;
  return { artifact: undefined, entry: { ...common, action: 'run', step: null, why: same } };
};

/** What a stage with an artifact would do, given what its key is made of; a `string` names the input that is not known yet. */
const planStage = async (
  context: PlanContext,
  stage: OutputStage,
  parts: KeyParts | string,
  { gpus, command }: { gpus: number; command: string[] },
): Promise<StagePlan> => {
  const { host, run } = context;
  const anew = context.anew[stage] ?? null;
  if (typeof parts === 'string') return planUnknown(context, stage, parts, { gpus, command });
  const { key, dir } = await findOutput(run, stage, parts, anew);
  const common = { stage, gpus, command, outputs: [dir] };
  const artifact = await findCached(host, stage, key, anew);
  if (artifact)
    return {
      artifact,
      entry: { ...common, action: 'cached', step: null, why: `the same inputs gave ${artifact.path}` },
    };
  const { checkpoint, passedOver } = await findResumePoint(dir);
  const entry: PlanEntry = checkpoint
    ? {
        ...common,
        action: 'resume',
        step: checkpoint.step,
        why: `newest whole checkpoint is ${checkpoint.path}${passedOver.length > 0 ? `; newer and not whole: ${passedOver.length}` : ''}`,
      }
    : {
        ...common,
        action: 'run',
        step: null,
        why:
          passedOver.length > 0
            ? `none of its ${passedOver.length} checkpoints is whole, and it does not begin over them; see lensmith checkpoints`
            : anew === null
              ? await whyRun(context, stage, parts)
              : 'it was asked for anew',
      };
  return { artifact: undefined, entry };
};

const namedModel = async (path: string): Promise<StagePlan> => ({
  artifact: await pretrainedModel(path),
  entry: {
    stage: 'base-model',
    action: 'cached',
    step: null,
    why: 'the spec names a model',
    gpus: 0,
    command: [],
    outputs: [path],
  },
});

const planModels = async (context: PlanContext) => {
  const { host, spec } = context;
  const protocol = await loadProtocol(spec.protocol);
  const data = await planStage(context, 'prepare-data', await dataParts(spec, protocol), { gpus: 0, command: [] });
  const base =
    spec.baseModel.kind === 'pretrained'
      ? await namedModel(spec.baseModel.path)
      : await planStage(context, 'base-model', data.artifact ? baseModelParts(spec, data.artifact) : 'prepare-data', {
          gpus: 0,
          command: program(context, 'base-model', 'base_model', spec.baseModel.threads),
        });
  const sftInputs = !data.artifact ? 'prepare-data' : !base.artifact ? 'base-model' : undefined;
  const sft = await planStage(
    context,
    'sft',
    data.artifact && base.artifact ? sftParts(spec, base.artifact, data.artifact) : (sftInputs ?? ''),
    { gpus: spec.gpus.sft, command: program(context, 'sft', 'sft', spec.sft.threads) },
  );
  const rl = await planStage(
    context,
    'rl',
    data.artifact && sft.artifact
      ? rlParts(spec, protocol, sft.artifact, data.artifact, await rewardJudgeIds(host, spec))
      : (sftInputs ?? 'sft'),
    { gpus: spec.gpus.rl, command: program(context, 'rl', 'rl', spec.rl.threads) },
  );
  return { data, base, sft, rl };
};

/**
 * What each stage of a run would do now: run, resume at a step, or be taken from the cache, with the reason and its
 * command line.
 */
export const planStages = async (
  host: Host,
  run: Pick<RunRef, 'dir'>,
  spec: RunSpec,
  anew: PlanContext['anew'] = {},
): Promise<PlanEntry[]> => {
  const context: PlanContext = { host, run, spec, anew };
  const { data, base, sft, rl } = await planModels(context);
  const models =
    data.artifact && base.artifact && sft.artifact && rl.artifact
      ? { data: data.artifact, base: base.artifact, sft: sft.artifact, rl: rl.artifact }
      : undefined;
  const { before, after } = await planEvaluations(context, models);
  return [data.entry, base.entry, sft.entry, ...before, rl.entry, ...after];
};

/** The plan of an opened run. */
export const planRun =
  (host: Host) =>
  async (run: RunRef): Promise<PlanEntry[]> => {
    const { spec, anew } = await readRunFile(run);
    return planStages(host, run, spec, anew);
  };
