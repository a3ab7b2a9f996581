import { CancellationScope } from '@temporalio/workflow';
import type { ServerEndpoint } from '../activities/model-server.ts';
import type { TrainResult } from '../domain/stage.ts';
import type { Hold } from './hold.ts';
import { type Pipeline, runStages } from './run-stages.ts';

/** The time between two pauses of a run. */
export interface Round {
  readonly pipeline: Pipeline;
  readonly hold: Hold;
  readonly ready: Map<string, ServerEndpoint>;
}

type Ended = { readonly result: TrainResult } | { readonly error: unknown };

/**
 * Brings the stages to rest: programs save at their next boundary, because the mark of the pause lies in the run's folder
 * when they are told to end. A cancel of the run takes the mark away, and so their time.
 */
const bringToRest = async ({ pipeline, ready }: Round, stages: CancellationScope, ended: Promise<Ended>) => {
  const { run, board, host } = pipeline;
  const whole = CancellationScope.current();
  board.setHold({ state: 'pausing', since: Date.now(), note: 'saves at the next boundary' });
  // A host that is away has no program that could save.
  await host.cleanup.markPause(run).catch(() => undefined);
  stages.cancel();
  const cancelled = whole.cancelRequested.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([ended, cancelled]);
  if (whole.consideredCancelled) await CancellationScope.nonCancellable(() => host.cleanup.clearPause(run));
  const ending = await ended;
  if ('result' in ending || whole.consideredCancelled) return ending;
  // What failed on the way to the pause is tried again after it.
  await host.cleanup.teardownRun(run);
  await host.cleanup.clearPause(run);
  ready.clear();
  board.rest();
  return 'paused';
};

/** Runs the stages until they are done, or until a pause that was asked for has brought them to rest. */
export const runRound = async (round: Round): Promise<TrainResult | 'paused'> => {
  const { pipeline, hold, ready } = round;
  const stages = new CancellationScope();
  const ended: Promise<Ended> = stages
    .run(() => runStages(pipeline, ready))
    .then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
  const watch = new CancellationScope();
  const asked = watch.run(hold.untilAsked).then(
    () => 'asked' as const,
    () => undefined,
  );
  await Promise.race([ended, asked]);
  watch.cancel();
  const ending = hold.asked() ? await bringToRest(round, stages, ended) : await ended;
  if (ending === 'paused') return 'paused';
  if ('error' in ending) throw ending.error;
  pipeline.board.setHold(null);
  return ending.result;
};
