import { sleep } from '@temporalio/workflow';

/** Rings at a time; a later time than the one it is set to leaves it as it is. */
export interface Alarm {
  readonly setFor: (at: number) => void;
  /** Whether it has rung since it was asked last. */
  readonly takeRing: () => boolean;
  readonly hasRung: () => boolean;
}

/**
 * One timer for many messages: a `condition` with a time limit would start and cancel a timer, two events of the
 * history, at each message.
 */
export const createAlarm = (): Alarm => {
  let next = Number.POSITIVE_INFINITY;
  let rung = false;
  const ring = (at: number): void => {
    if (at !== next) return;
    next = Number.POSITIVE_INFINITY;
    rung = true;
  };
  return {
    setFor: (at) => {
      if (at >= next) return;
      next = at;
      sleep(Math.max(1, at - Date.now())).then(
        () => ring(at),
        () => undefined,
      );
    },
    hasRung: () => rung,
    takeRing: () => {
      const had = rung;
      rung = false;
      return had;
    },
  };
};
