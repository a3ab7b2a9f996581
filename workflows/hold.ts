import { condition, defineUpdate, setHandler } from '@temporalio/workflow';
import { parseRunSpec } from '../domain/parse-run-spec.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { HoldState } from '../domain/stage.ts';
import { type ResumeOrder, resumeOrderSchema } from '../domain/train-options.ts';
import { asInputFailure } from './failure.ts';

/** Pauses a run: its programs save and end, and it holds nothing until it is told to go on. Gives its state after that. */
export const pauseUpdate = defineUpdate<HoldState, []>('pause');
/** Lets a paused run go on, with another spec or from an earlier stage where the order says so. */
export const resumeUpdate = defineUpdate<HoldState, [order: Partial<ResumeOrder>]>('resume');

/** What a run goes on with. */
export interface CheckedOrder {
  readonly spec: RunSpec | null;
  readonly from: ResumeOrder['from'];
}

/** Whether a run is to pause, as it has been told. */
export interface Hold {
  readonly state: () => HoldState;
  readonly asked: () => boolean;
  /** Returns when a pause is asked for. */
  readonly untilAsked: () => Promise<void>;
  /** The run has come to rest. */
  readonly rest: () => void;
  /** Returns when the run may go on. */
  readonly untilReleased: () => Promise<CheckedOrder>;
}

const checked = (input: unknown): CheckedOrder => {
  try {
    const { spec, from } = resumeOrderSchema.parse(input ?? {});
    return { spec: spec === null ? null : parseRunSpec(spec), from };
  } catch (error) {
    throw asInputFailure(error);
  }
};

/** Opens the handlers of a run for `pause` and `resume`: once, before its first wait. */
export const openHold = (): Hold => {
  let state: HoldState = 'running';
  let order: CheckedOrder | undefined;
  setHandler(pauseUpdate, () => {
    if (state === 'running') state = 'pausing';
    order = undefined;
    return state;
  });
  setHandler(
    resumeUpdate,
    (input) => {
      if (state !== 'running') order = checked(input);
      return state;
    },
    { validator: (input) => void checked(input) },
  );
  return {
    state: () => state,
    asked: () => state !== 'running',
    untilAsked: () => condition(() => state !== 'running'),
    rest: () => {
      state = 'paused';
    },
    untilReleased: async () => {
      await condition(() => order !== undefined);
      const released = order ?? { spec: null, from: null };
      order = undefined;
      state = 'running';
      return released;
    },
  };
};
