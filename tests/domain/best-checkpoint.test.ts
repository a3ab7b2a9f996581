import { describe, expect, it } from 'vitest';
import type { CheckpointRef } from '../../domain/artifact.ts';
import { bestCheckpoint } from '../../domain/best-checkpoint.ts';
import type { Slice } from '../../domain/evaluation.ts';

const evaluated = (step: number, accuracy: number, toolCallsPerEpisode: number) => {
  const checkpoint: CheckpointRef = { kind: 'checkpoint', path: `/c/${step}`, digest: String(step), details: {}, step };
  const all: Slice = {
    family: 'all',
    transform: 'all',
    samples: 100,
    correct: 100 * accuracy,
    accuracy,
    low: 0,
    high: 1,
    accuracyIfUndecidedRight: accuracy,
    undecided: 0,
    toolCallsPerEpisode,
    toolShare: 1,
    executionSuccess: 1,
  };
  return { checkpoint, result: { slices: [{ ...all, family: 'sum', accuracy: 1 }, all] } };
};

describe('bestCheckpoint', () => {
  it('takes the highest accuracy over all samples', () => {
    expect(bestCheckpoint([evaluated(20, 0.5, 1), evaluated(40, 0.7, 1), evaluated(60, 0.6, 1)])?.step).toBe(40);
  });

  it('prefers fewer tool calls among equals, then the later step', () => {
    expect(bestCheckpoint([evaluated(20, 0.7, 0.8), evaluated(40, 0.7, 1)])?.step).toBe(20);
    expect(bestCheckpoint([evaluated(20, 0.7, 1), evaluated(40, 0.7, 1)])?.step).toBe(40);
  });

  it('has nothing to choose from an empty list', () => {
    expect(bestCheckpoint([])).toBeUndefined();
  });
});
