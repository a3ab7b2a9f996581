import type { CheckpointRef } from './artifact.ts';
import type { EvaluationResult } from './evaluation.ts';
import { overallSlice } from './overall-slice.ts';

export interface EvaluatedCheckpoint {
  readonly checkpoint: CheckpointRef;
  readonly result: Pick<EvaluationResult, 'slices'>;
}

/**
 * The checkpoint with the highest validation accuracy; of equals, the one with fewer tool calls an episode, then the
 * later one. Undefined for an empty list.
 */
export const bestCheckpoint = (evaluations: readonly EvaluatedCheckpoint[]): CheckpointRef | undefined =>
  evaluations
    .map(({ checkpoint, result }) => {
      const all = overallSlice(result);
      return { checkpoint, accuracy: all?.accuracy ?? 0, calls: all?.toolCallsPerEpisode ?? 0 };
    })
    .sort((a, b) => b.accuracy - a.accuracy || a.calls - b.calls || b.checkpoint.step - a.checkpoint.step)[0]
    ?.checkpoint;
