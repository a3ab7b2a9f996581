import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  defineQuery,
  defineSignal,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { EvaluationRecord } from '../activities/evaluate-model.ts';
import type { ServerEndpoint } from '../activities/model-server.ts';
import type { StageProgressSignal } from '../activities/pulse.ts';
import type { ArtifactRef } from '../domain/artifact.ts';
import { bestCheckpoint } from '../domain/best-checkpoint.ts';
import { parseRunSpec } from '../domain/parse-run-spec.ts';
import { runIdAt } from '../domain/run-id.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { PipelineProgress, PlanEntry, RunRef, StageName, StageResult, TrainResult } from '../domain/stage.ts';
import { type HostProxies, hostActivities } from './activity-proxies.ts';
import type { BenchmarkSuiteInput, benchmarkSuite } from './benchmark-suite.ts';
import { evaluateWhileTraining } from './evaluate-while-training.ts';
import { asInputFailure } from './failure.ts';
import { runAttribute, stageAttribute, verdictAttribute } from './search-attributes.ts';
import { modelReadySignal } from './serve-model.ts';
import { createStageBoard, type StageBoard } from './stage-board.ts';
import { type ServedModel, startServer } from './with-server.ts';

export const progressQuery = defineQuery<PipelineProgress>('progress');
export const planQuery = defineQuery<readonly PlanEntry[]>('plan');
export const stageProgressSignal = defineSignal<[StageProgressSignal]>('stage-progress');

const parse = (input: unknown): RunSpec => {
  try {
    return parseRunSpec(input);
  } catch (error) {
    throw asInputFailure(error);
  }
};

/** `miniature-20260102-030405`, from the time at which the workflow began. */
const runIdOf = (spec: RunSpec): string => spec.run ?? runIdAt(spec.name, workflowInfo().startTime);

/** The stage that an activity is all of. */
const stageOfActivity: Readonly<Record<string, StageName>> = {
  prepareData: 'prepare-data',
  trainBaseModel: 'base-model',
  trainSft: 'sft',
  awaitRay: 'ray-cluster',
  trainRl: 'rl',
};

/** What the stages of one run share. */
interface Pipeline {
  readonly spec: RunSpec;
  readonly run: RunRef;
  readonly board: StageBoard;
  readonly host: HostProxies;
}

const enter = ({ board }: Pipeline, stage: StageName): void => {
  board.begin(stage);
  upsertSearchAttributes([{ key: stageAttribute, value: stage }]);
};

/** Runs a stage that leaves an artifact and shows how it went. */
const artifactStage = async (
  pipeline: Pipeline,
  stage: StageName,
  work: () => Promise<StageResult>,
): Promise<ArtifactRef> => {
  enter(pipeline, stage);
  const { state, artifact, attempts } = await work();
  pipeline.board.end(stage, state, { attempts });
  return artifact;
};

const benchmark = async (
  { spec, run, board }: Pipeline,
  models: BenchmarkSuiteInput['models'],
  data: ArtifactRef,
  judge: ServerEndpoint | null,
): Promise<EvaluationRecord[]> => {
  const records = await executeChild<typeof benchmarkSuite>('benchmark-suite', {
    workflowId: `${run.workflowId}/benchmark-suite`,
    args: [
      {
        run,
        host: spec.host,
        attempts: spec.limits.attempts,
        retries: spec.limits.retries,
        startSeconds: spec.serving.startSeconds,
        models,
        data,
        judge,
      },
    ],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    staticSummary: `${models.length} models on the held-out test split`,
  });
  board.end('benchmark-suite', records.every(({ cached }) => cached) ? 'cached' : 'completed', { attempts: 1 });
  return records;
};

/** The judge is only needed where something is evaluated anew; rules decide first in any case. */
const startJudge = async (pipeline: Pipeline, ready: Map<string, ServerEndpoint>): Promise<ServedModel | null> => {
  const { spec, run, board, host } = pipeline;
  const request = await host.quick.resolveJudge(run);
  if (!request) {
    board.end('serve-judge', 'skipped', { note: 'judge.engine is none' });
    return null;
  }
  enter(pipeline, 'serve-judge');
  const judge = await startServer(run, spec.host, request, {
    attempts: spec.limits.attempts,
    retries: spec.limits.retries,
    startSeconds: spec.judge.startSeconds,
    idPrefix: run.workflowId,
    ready,
  });
  board.end('serve-judge', 'completed', { attempts: 1, note: `${request.servedName} at ${judge.endpoint().url}` });
  return judge;
};

const runStages = async (pipeline: Pipeline, ready: Map<string, ServerEndpoint>): Promise<TrainResult> => {
  const { spec, run, board, host } = pipeline;
  const data = await artifactStage(pipeline, 'prepare-data', () => host.long.prepareData(run));
  const base = await artifactStage(pipeline, 'base-model', () => host.long.trainBaseModel(run, data));
  const sft = await artifactStage(pipeline, 'sft', () => host.long.trainSft(run, base, data));

  const nothingToDo = await host.quick.isFullyCached(run, base, sft, data);
  let judge: ServedModel | null = null;
  if (nothingToDo) {
    board.end('serve-judge', 'skipped', { note: 'nothing is left to evaluate' });
    board.end('ray-cluster', 'skipped', { note: 'RL is cached' });
  } else {
    judge = await startJudge(pipeline, ready);
    enter(pipeline, 'ray-cluster');
    const cluster = await host.long.awaitRay(run);
    board.end('ray-cluster', 'completed', { attempts: 1, note: `Ray ${cluster.version}, ${cluster.gpus} GPUs` });
  }
  try {
    const judgeEndpoint = judge?.endpoint() ?? null;
    enter(pipeline, 'rl');
    board.begin('evaluate-checkpoints');
    const { rl, evaluations } = await evaluateWhileTraining({
      run,
      spec,
      host,
      board,
      data,
      judge: judgeEndpoint,
      train: () => host.long.trainRl(run, sft, data),
    });
    const best = bestCheckpoint(evaluations.map(({ checkpoint, record }) => ({ checkpoint, result: record.result })));
    if (!best)
      throw ApplicationFailure.create({
        type: 'config',
        nonRetryable: true,
        message: `rl.saveEvery: RL left no checkpoint to choose from; got ${spec.rl.saveEvery} with ${spec.rl.steps} steps`,
      });
    enter(pipeline, 'benchmark-suite');
    const records = await benchmark(
      pipeline,
      [
        { modelName: 'base', checkpoint: 'model', model: base },
        { modelName: 'sft', checkpoint: 'model', model: sft },
        { modelName: 'rl', checkpoint: `checkpoint-${best.step}`, model: best },
      ],
      data,
      judgeEndpoint,
    );
    const [, sftRecord, rlRecord] = records;
    if (!sftRecord || !rlRecord)
      throw ApplicationFailure.nonRetryable(`expected three records of the suite, got ${records.length}`);

    enter(pipeline, 'promote');
    const promotion = await host.quick.promote(run, best, sftRecord, rlRecord, data);
    board.end('promote', 'completed', { attempts: 1, note: `${promotion.decision}: checkpoint-${best.step}` });
    upsertSearchAttributes([{ key: verdictAttribute, value: promotion.decision }]);

    enter(pipeline, 'report');
    const report = await host.quick.writeReport(run, {
      stages: board.all(),
      checkpoints: evaluations.map(({ checkpoint, record }) => ({ step: checkpoint.step, record })),
      benchmark: records,
      promotion,
      base,
      sft,
      rl,
      data,
      judge: judgeEndpoint,
    });
    board.end('report', 'completed', { attempts: 1, note: report.report });
    return {
      run: run.run,
      dir: run.dir,
      report: report.report,
      summary: report.summary,
      decision: promotion.decision,
      promoted: promotion.decision === 'held' ? null : best,
    };
  } finally {
    if (judge) await CancellationScope.nonCancellable(judge.stop);
  }
};

/**
 * The main job: data, SFT cold start, judge, RL with checkpoint evaluation beside it, the benchmark suite, promotion
 * and the report. Its input is a run spec; what is finished already is taken from the cache.
 *
 * Fails as `config` or `data`, at once, where the input cannot be run; teardown happens at every ending.
 */
export const trainPipeline = async (input: unknown): Promise<TrainResult> => {
  const spec = parse(input);
  const id = runIdOf(spec);
  const board = createStageBoard(id);
  const host = hostActivities(spec.host, spec.limits.attempts, spec.limits.retries, (activity, note) => {
    const stage = stageOfActivity[activity];
    if (stage) board.retried(stage, note);
  });
  const ready = new Map<string, ServerEndpoint>();
  let dir: string | null = null;
  let plan: readonly PlanEntry[] = [];
  setHandler(progressQuery, () => ({ run: id, dir, stages: board.all() }));
  setHandler(planQuery, () => plan);
  setHandler(stageProgressSignal, ({ stage, progress, attempt }) => board.progress(stage, progress, attempt));
  setHandler(modelReadySignal, (endpoint) => {
    ready.set(endpoint.name, endpoint);
  });
  upsertSearchAttributes([{ key: runAttribute, value: id }]);

  const { workflowId, firstExecutionRunId } = workflowInfo();
  const run = await host.quick.openRun({ spec, run: id, workflowId, execution: firstExecutionRunId });
  dir = run.dir;
  plan = await host.quick.planRun(run);
  try {
    return await runStages({ spec, run, board, host }, ready);
  } catch (error) {
    board.fail(error, isCancellation(error) ? 'cancelled' : 'failed');
    throw error;
  } finally {
    await CancellationScope.nonCancellable(() => host.cleanup.teardownRun(run));
  }
};
