import {
  CancellationScope,
  defineQuery,
  defineSignal,
  isCancellation,
  patched,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ServerEndpoint } from '../activities/model-server.ts';
import type { StageProgressSignal } from '../activities/pulse.ts';
import { parseRunSpec } from '../domain/parse-run-spec.ts';
import { runIdAt } from '../domain/run-id.ts';
import { poolOf, type RunSpec } from '../domain/run-spec.ts';
import type { PipelineProgress, PlanEntry, RunRef, StageName, TrainResult } from '../domain/stage.ts';
import { parseTrainOptions, type TrainOptions } from '../domain/train-options.ts';
import { type HostProxies, hostActivities } from './activity-proxies.ts';
import { asInputFailure, failureNote } from './failure.ts';
import { openLeaseDesk } from './gpu-pool-client.ts';
import { type Hold, openHold } from './hold.ts';
import { createMessenger, type Messenger, tellEnding } from './messenger.ts';
import { createPlaces } from './places.ts';
import { type Round, runRound } from './run-round.ts';
import { runAttribute, stageAttribute } from './search-attributes.ts';
import { modelReadySignal } from './serve-model.ts';
import { createStageBoard, type StageBoard } from './stage-board.ts';

export const progressQuery = defineQuery<PipelineProgress>('progress');
export const planQuery = defineQuery<readonly PlanEntry[]>('plan');
export const stageProgressSignal = defineSignal<[StageProgressSignal]>('stage-progress');
/** A line for a person about a running stage; one that begins with `budget:` is told to the world too. */
export const stageNoteSignal = defineSignal<[{ stage: StageName; note: string }]>('stage-note');

const parse = <T>(parser: (input: unknown) => T, input: unknown): T => {
  try {
    return parser(input);
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

const proxiesOf = (spec: RunSpec, board: StageBoard, messenger: Messenger, hostName = spec.host): HostProxies =>
  hostActivities(hostName, spec.limits.attempts, spec.limits.retries, (activity, note, failure) => {
    const stage = stageOfActivity[activity];
    if (stage) board.retried(stage, note);
    if (failure === 'stall') messenger.tell('stalled', { stage, failure, message: note });
  });

/**
 * The main job: data, SFT cold start, judge, RL with checkpoint evaluation beside it, the benchmark suite, promotion
 * and the report. Its input is a run spec; what is finished already is taken from the cache. It can be paused: its
 * programs save and end, and it goes on as another round, in which what is finished is cached.
 *
 * Fails as `config` or `data`, at once, where the input cannot be run; teardown happens at every ending.
 */
export const trainPipeline = async (input: unknown, options?: unknown): Promise<TrainResult> => {
  let spec = parse(parseRunSpec, input);
  const { from, clonedFrom }: TrainOptions = parse(parseTrainOptions, options);
  const id = runIdOf(spec);
  const board = createStageBoard(id);
  const messenger = createMessenger(id, () => spec);
  const ready = new Map<string, ServerEndpoint>();
  const hold: Hold = openHold();
  const desk = openLeaseDesk();
  let host = proxiesOf(spec, board, messenger);
  let dir: string | null = null;
  let plan: readonly PlanEntry[] = [];
  setHandler(progressQuery, () => ({ run: id, dir, stages: board.all(), hold: board.hold() }));
  setHandler(planQuery, () => plan);
  setHandler(stageProgressSignal, ({ stage, progress, attempt }) => board.progress(stage, progress, attempt));
  setHandler(stageNoteSignal, ({ stage, note }) => {
    board.retried(stage, note);
    if (note.startsWith('budget:')) messenger.tell('budget', { stage, message: note });
  });
  setHandler(modelReadySignal, (endpoint) => {
    ready.set(endpoint.name, endpoint);
  });
  upsertSearchAttributes([{ key: runAttribute, value: id }]);

  const { workflowId, firstExecutionRunId } = workflowInfo();
  const open = (changes: { spec: RunSpec; round?: number; from?: StageName }): Promise<RunRef> =>
    host.quick.openRun({
      ...changes,
      run: id,
      workflowId,
      execution: firstExecutionRunId,
      ...(clonedFrom ? { clonedFrom } : {}),
    });

  /** Waits in the pause until the run goes on; an order that cannot be followed leaves it there. */
  const goOn = async (run: RunRef, round: number): Promise<RunRef> => {
    upsertSearchAttributes([{ key: stageAttribute, value: 'paused' }]);
    plan = await host.quick.planRun(run).catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      return plan;
    });
    const made = plan.filter(({ stage }) => stage !== 'serve-judge' && stage !== 'ray-cluster');
    const next = made.find(({ action }) => action === 'resume') ?? made.find(({ action }) => action === 'run');
    const way = next ? `goes on with ${next.stage}${next.step === null ? '' : ` at step ${next.step}`}` : '';
    messenger.tell('paused', { message: way });
    for (let problem = ''; ; ) {
      board.setHold({ state: 'paused', since: Date.now(), note: problem || way });
      // A worker that has just begun runs a workflow task without a command together with the next, updates first: a run
      // at rest would answer as one that is still on the way there.
      if (patched('mark-rest')) upsertSearchAttributes([{ key: stageAttribute, value: 'paused' }]);
      hold.rest();
      const order = await hold.untilReleased();
      const wanted = order.spec ? { ...order.spec, run: spec.run, existing: spec.existing } : spec;
      const before = { spec, host };
      try {
        host = proxiesOf(wanted, board, messenger);
        spec = wanted;
        const opened = await open({ spec: wanted, round, ...(order.from ? { from: order.from } : {}) });
        plan = await host.quick.planRun(opened);
        board.setHold(null);
        messenger.tell('resumed', { message: way });
        return opened;
      } catch (error) {
        // Also the teardown of a cancelled run belongs to the host that has its folder.
        ({ spec, host } = before);
        if (isCancellation(error)) throw error;
        problem = `could not go on: ${failureNote(error)}`;
      }
    }
  };

  let run: RunRef | undefined;
  try {
    run = await open({ spec, ...(from ? { from } : {}) });
    dir = run.dir;
    plan = await host.quick.planRun(run);
    messenger.tell('started', clonedFrom ? { message: `a clone of ${clonedFrom.run}` } : {});
    for (let round = 1; ; round += 1) {
      const now = spec;
      const places = createPlaces({
        run,
        hostName: now.host,
        pool: poolOf(now),
        desk,
        proxiesOf: (hostName) => (hostName === now.host ? host : proxiesOf(now, board, messenger, hostName)),
      });
      const current: Round = { pipeline: { spec, run, board, host, messenger, places }, hold, ready };
      const result = await runRound(current);
      if (result !== 'paused') {
        messenger.tell('completed', { message: `${result.decision}; ${result.report}` });
        await messenger.flush();
        return result;
      }
      run = await goOn(run, round);
    }
  } catch (error) {
    await tellEnding(messenger, board, error);
    board.fail(error, isCancellation(error) ? 'cancelled' : 'failed');
    throw error;
  } finally {
    const opened = run;
    if (opened) await CancellationScope.nonCancellable(() => host.cleanup.teardownRun(opened));
  }
};
