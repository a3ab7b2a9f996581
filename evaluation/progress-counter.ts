import type { Verdict } from '../domain/verdict.ts';

/** How far an evaluation is. */
export interface EvaluationProgress {
  /** Episodes with a verdict, those of earlier runs included. */
  readonly done: number;
  readonly total: number;
  /** Episodes that ended in this run. */
  readonly finished: number;
  /** Episodes a second in this run. */
  readonly rate: number;
  /** Episodes by verdict. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly inFlight: number;
  /** Those of them that wait for nothing but the judge. */
  readonly judged: number;
  /** Age of the oldest episode in flight, seconds; 0 without any. */
  readonly oldestSeconds: number;
}

/** Follows the samples that are begun and finished. */
export const createProgressCounter = (total: number, now: () => number = () => performance.now()) => {
  const begun = now();
  const inFlight = new Map<string, number>();
  const judged = new Set<string>();
  const outcomes: Partial<Record<Verdict, number>> = {};
  let done = 0;
  let finished = 0;
  return {
    start: (sampleId: string): void => {
      inFlight.set(sampleId, now());
    },
    /** All that it still waits for is the judge. */
    awaitVerdict: (sampleId: string): void => {
      judged.add(sampleId);
    },
    finish: (sampleId: string): void => {
      inFlight.delete(sampleId);
      judged.delete(sampleId);
      finished += 1;
    },
    /** Counts a verdict of this run or of an earlier one. */
    count: (verdict: Verdict): void => {
      outcomes[verdict] = (outcomes[verdict] ?? 0) + 1;
      done += 1;
    },
    progress: (): EvaluationProgress => {
      const time = now();
      const seconds = (time - begun) / 1000;
      // A map keeps the order of insertion, and what begins again is inserted again.
      const oldest = inFlight.values().next();
      return {
        done,
        total,
        finished,
        rate: seconds > 0 ? finished / seconds : 0,
        outcomes: { ...outcomes },
        inFlight: inFlight.size,
        judged: judged.size,
        oldestSeconds: oldest.done ? 0 : (time - oldest.value) / 1000,
      };
    },
  };
};
