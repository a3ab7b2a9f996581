import type { EvaluationRecord } from '../../activities/evaluate-model.ts';
import type { ArtifactRef } from '../../domain/artifact.ts';
import type { EvaluationResult } from '../../domain/evaluation.ts';

export const artifactAt = (kind: ArtifactRef['kind'], path: string): ArtifactRef => ({
  kind,
  path,
  digest: 'd'.repeat(64),
  details: {},
});

/** The figures of an evaluation over all its samples, with their interval. */
export const recordOf = (
  figures: { accuracy: number; low: number; high: number },
  path = '/runs/night/evaluations/promoted',
): EvaluationRecord => {
  const result: EvaluationResult = {
    version: 1,
    model: 'promoted',
    checkpoint: 'checkpoint-4',
    modelDigest: 'model',
    dataset: 'test',
    datasetDigest: 'data',
    fingerprint: {
      model: 'promoted',
      protocol: { name: 'miniature', version: 1, digest: 'p' },
      prompt: 'protocol',
      temperature: 0,
      topP: 1,
      maxTokens: 16,
      seed: null,
      isolation: 'namespaces',
      scoring: '1',
    },
    slices: [
      {
        family: 'all',
        transform: 'all',
        samples: 100,
        correct: Math.round(100 * figures.accuracy),
        ...figures,
        accuracyIfUndecidedRight: figures.accuracy,
        undecided: 0,
        toolCallsPerEpisode: 1,
        toolShare: 1,
        executionSuccess: 1,
      },
    ],
    endings: {},
    verdicts: {},
    judgeDecided: 0,
    seconds: 1,
  };
  return { result, artifact: artifactAt('evaluation', path), cached: false };
};
