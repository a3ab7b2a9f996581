/** Bytes of a parameter in a checkpoint of the trainers: a float32 weight, and the two float32 moments of Adam. */
export const weightBytes = 4;
export const optimizerBytes = 8;

/** What a stage is about to write. */
export interface CheckpointPlan {
  /** Parameters of the model. */
  readonly parameters: number;
  /** Bytes of a checkpoint of this stage that exists already; null before the first. */
  readonly measuredBytes: number | null;
  readonly steps: number;
  /** Step from which the stage goes on. */
  readonly firstStep: number;
  readonly saveEvery: number;
  /** Newest checkpoints that are kept; null keeps all. */
  readonly keep: number | null;
  /** Whether checkpoints wait for their evaluation and the best of them stays beside the newest. */
  readonly evaluated: boolean;
  /** Complete checkpoints that lie there. */
  readonly existing: number;
}

export interface CheckpointForecast {
  /** Bytes that have to be free. */
  readonly bytes: number;
  readonly checkpointBytes: number;
  /** Checkpoints that will lie there at once beyond those of now. */
  readonly checkpoints: number;
}

/** Logs, metrics, rollouts and the journals of evaluations. */
const logBytes = 2 ** 29;

/** The best, and one that waits for its evaluation while the next is written. */
const beyondNewest = 2;

/**
 * Bytes that a stage needs on disk: the checkpoints that will lie there at once and not do yet, one that is written
 * before an old one goes, the final model, and logs. A checkpoint counts its weights and the optimiser's state, or what
 * the newest one of the stage was measured to take.
 */
export const forecastCheckpoints = (plan: CheckpointPlan): CheckpointForecast => {
  const checkpointBytes = plan.measuredBytes ?? plan.parameters * (weightBytes + optimizerBytes);
  const remaining = Math.max(0, plan.steps - plan.firstStep);
  const saves = Math.ceil(remaining / plan.saveEvery);
  const atOnce = plan.keep === null ? Number.POSITIVE_INFINITY : plan.keep + (plan.evaluated ? beyondNewest : 0) + 1;
  const checkpoints = Math.max(0, Math.min(saves, atOnce - plan.existing));
  // Where the place of an old one is taken, the new one is still written first.
  const written = checkpoints === 0 && saves > 0 ? 1 : checkpoints;
  return {
    bytes: written * checkpointBytes + plan.parameters * weightBytes + logBytes,
    checkpointBytes,
    checkpoints: written,
  };
};
