import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  ParentClosePolicy,
  patched,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { EvaluationRecord } from '../activities/evaluate-model.ts';
import type { ServerEndpoint } from '../activities/model-server.ts';
import type { ArtifactRef } from '../domain/artifact.ts';
import { bestCheckpoint } from '../domain/best-checkpoint.ts';
import { poolOf, type RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageName, StageResult, TrainResult } from '../domain/stage.ts';
import type { HostProxies } from './activity-proxies.ts';
import type { BenchmarkSuiteInput, benchmarkSuite } from './benchmark-suite.ts';
import { evaluationPool } from './evaluate-checkpoint.ts';
import { evaluateWhileTraining } from './evaluate-while-training.ts';
import { withKeptJudge } from './kept-judge.ts';
import type { Messenger } from './messenger.ts';
import type { Place, Places, PlaceWish } from './places.ts';
import { withRayCluster } from './ray-cluster.ts';
import { stageAttribute, verdictAttribute } from './search-attributes.ts';
import type { StageBoard } from './stage-board.ts';
import { type ServedModel, startServer } from './with-server.ts';

/** What the stages of one run share. */
export interface Pipeline {
  readonly spec: RunSpec;
  readonly run: RunRef;
  readonly board: StageBoard;
  readonly host: HostProxies;
  readonly messenger: Messenger;
  readonly places: Places;
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
        ...evaluationPool(spec),
      },
    ],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    staticSummary: `${models.length} models on the held-out test split`,
  });
  board.end('benchmark-suite', records.every(({ cached }) => cached) ? 'cached' : 'completed', { attempts: 1 });
  return records;
};

/** Where the judge is served now; null where there is none. It may move while the stages go on. */
type JudgeNow = () => ServerEndpoint | null;

/** The judge is only needed where something is evaluated anew; rules decide first in any case. */
const withJudge = async <T>(
  pipeline: Pipeline,
  ready: Map<string, ServerEndpoint>,
  work: (judge: JudgeNow) => Promise<T>,
): Promise<T> => {
  const { spec, run, board, host, places } = pipeline;
  const request = await host.quick.resolveJudge(run);
  if (!request) {
    board.end('serve-judge', 'skipped', { note: 'judge.engine is none' });
    return work(() => null);
  }
  const wish: PlaceWish = {
    part: 'judge',
    purpose: 'serve-judge',
    gpus: spec.gpus.judge,
    cpus: spec.serving.threads,
    ports: 1,
    onNote: (note) => board.retried('serve-judge', note),
  };
  enter(pipeline, 'serve-judge');
  const start = (place: Place): Promise<ServedModel> => {
    ready.delete(request.name);
    return startServer(place.run, place.hostName, request, {
      attempts: spec.limits.attempts,
      retries: spec.limits.retries,
      startSeconds: spec.judge.startSeconds,
      idPrefix: run.workflowId,
      ready,
      isSilent: place.isSilent,
    });
  };
  const onServed = ({ url }: ServerEndpoint): void =>
    board.end('serve-judge', 'completed', { attempts: 1, note: `${request.servedName} at ${url}` });
  if (poolOf(spec) && patched('keep-judge')) return withKeptJudge({ places, wish, start, onServed }, work);
  return places.on(wish, async (place) => {
    const judge = await start(place);
    const endpoint = judge.endpoint();
    onServed(endpoint);
    try {
      return await work(() => endpoint);
    } finally {
      await CancellationScope.nonCancellable(judge.stop);
    }
  });
};

const awaitRay = async (pipeline: Pipeline, { run, host }: Pick<Place, 'run' | 'host'>): Promise<void> => {
  if (!run.ray) enter(pipeline, 'ray-cluster');
  const cluster = await host.long.awaitRay(run);
  pipeline.board.end('ray-cluster', 'completed', {
    attempts: 1,
    note: `Ray ${cluster.version}, ${cluster.gpus} GPUs${run.ray ? `, ${run.ray.nodes} nodes` : ''}`,
  });
};

/** Ports of a node of Ray: those that it names, and some for each of its workers. */
const rayPorts = (cpus: number): number => 16 + 4 * Math.max(4, cpus);

/** A stage that trains on GPUs: under the pool it leases them, unless the cache has what it would make. */
const trainLeased = async (
  pipeline: Pipeline,
  { stage, model, data, judged }: { stage: 'sft' | 'rl'; model: ArtifactRef; data: ArtifactRef; judged: boolean },
  work: (place: Place) => Promise<StageResult>,
): Promise<StageResult> => {
  const { spec, run, board, host, places } = pipeline;
  const pool = poolOf(spec);
  const rayHosts = stage === 'rl' ? (pool?.rayHosts ?? 0) : 0;
  const cached = pool && (await host.quick.findTrained(run, stage, model, data));
  if (cached) return cached;
  const wish: PlaceWish = {
    part: 'trainer',
    purpose: stage,
    hosts: Math.max(1, rayHosts),
    gpus: Math.ceil(spec.gpus[stage] / Math.max(1, rayHosts)),
    cpus: spec[stage].threads,
    ports: rayHosts > 0 ? rayPorts(spec.rl.threads) : 0,
    apart: judged && pool?.judgeApart ? ['judge'] : [],
    onNote: (note) => board.retried(stage, note),
  };
  return places.gang(wish, (first, others) => {
    if (rayHosts === 0) return work(first);
    enter(pipeline, 'ray-cluster');
    const onNote = (note: string): void => board.retried('ray-cluster', note);
    return withRayCluster(first, others, { attempts: spec.limits.attempts, onNote }, work);
  });
};

interface Models {
  readonly data: ArtifactRef;
  readonly base: ArtifactRef;
  readonly sft: ArtifactRef;
}

/** RL and all that comes after it. */
const improve = async (pipeline: Pipeline, { data, base, sft }: Models, judgeNow: JudgeNow): Promise<TrainResult> => {
  const { spec, run, board, host, messenger } = pipeline;
  enter(pipeline, 'rl');
  board.begin('evaluate-checkpoints');
  const { rl, evaluations } = await evaluateWhileTraining({
    run,
    spec,
    host,
    board,
    data,
    get judge() {
      return judgeNow();
    },
    train: () =>
      trainLeased(pipeline, { stage: 'rl', model: sft, data, judged: judgeNow() !== null }, async (place) => {
        if (poolOf(spec)) await awaitRay(pipeline, place);
        return place.host.long.trainRl(place.run, sft, data);
      }),
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
    judgeNow(),
  );
  const [, sftRecord, rlRecord] = records;
  if (!sftRecord || !rlRecord)
    throw ApplicationFailure.nonRetryable(`expected three records of the suite, got ${records.length}`);

  enter(pipeline, 'promote');
  const promotion = await host.quick.promote(run, best, sftRecord, rlRecord, data);
  board.end('promote', 'completed', { attempts: 1, note: `${promotion.decision}: checkpoint-${best.step}` });
  upsertSearchAttributes([{ key: verdictAttribute, value: promotion.decision }]);
  if (promotion.decision === 'held') messenger.tell('held', { stage: 'promote', message: promotion.why });

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
    judge: judgeNow(),
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
};

/** Runs all stages of a pipeline to its result. `ready` receives the endpoints of the run's own servers. */
export const runStages = async (pipeline: Pipeline, ready: Map<string, ServerEndpoint>): Promise<TrainResult> => {
  const { spec, run, board, host } = pipeline;
  const data = await artifactStage(pipeline, 'prepare-data', () => host.long.prepareData(run));
  const base = await artifactStage(pipeline, 'base-model', () => host.long.trainBaseModel(run, data));
  const sft = await artifactStage(pipeline, 'sft', () =>
    trainLeased(pipeline, { stage: 'sft', model: base, data, judged: false }, (place) =>
      place.host.long.trainSft(place.run, base, data),
    ),
  );
  const models = { data, base, sft };
  if (await host.quick.isFullyCached(run, base, sft, data)) {
    board.end('serve-judge', 'skipped', { note: 'nothing is left to evaluate' });
    board.end('ray-cluster', 'skipped', { note: 'RL is cached' });
    return improve(pipeline, models, () => null);
  }
  return withJudge(pipeline, ready, async (judge) => {
    if (!poolOf(spec)) await awaitRay(pipeline, { run, host });
    return improve(pipeline, models, judge);
  });
};
