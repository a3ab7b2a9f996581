import type { CheckpointRef } from './artifact.ts';
import type { EvaluationResult } from './evaluation.ts';
import { overallSlice } from './overall-slice.ts';

export interface EvaluatedCheckpoint {
  readonly checkpoint: CheckpointRef;
  readonly result: Pick<EvaluationResult, 'slices'>;
}

/** What decides between two checkpoints. */
export interface Merit {
  readonly step: number;
  readonly accuracy: number;
  /** Tool calls an episode. */
  readonly calls: number;
}

/** Orders the best first: by accuracy; of equals, the one with fewer tool calls an episode, then the later one. */
export const byMerit = (a: Merit, b: Merit): number => b.accuracy - a.accuracy || a.calls - b.calls || b.step - a.step;

/** The checkpoint with the highest validation accuracy, by `byMerit`. Undefined for an empty list. */
export const bestCheckpoint = (evaluations: readonly EvaluatedCheckpoint[]): CheckpointRef | undefined =>
  evaluations
    .map(({ checkpoint, result }) => {
      const all = overallSlice(result);
      const { step } = checkpoint;
      return { checkpoint, step, accuracy: all?.accuracy ?? 0, calls: all?.toolCallsPerEpisode ?? 0 };
    })
    .sort(byMerit)[0]?.checkpoint;
