import type { Slice } from '../domain/evaluation.ts';
import { isUndecided, type SampleOutcome } from './sample-outcome.ts';
import { wilsonInterval } from './statistics/wilson-interval.ts';

/** A group of samples in reports; `all` means every family or transform. */
export interface SliceKey {
  readonly family: string;
  readonly transform: string;
}

/** Every slice of the samples: all, each family, each family with each of its transforms. */
export const sliceKeys = (samples: readonly SliceKey[]): SliceKey[] => {
  const families = [...new Set(samples.map(({ family }) => family))].sort();
  return [
    { family: 'all', transform: 'all' },
    ...families.map((family) => ({ family, transform: 'all' })),
    ...families.flatMap((family) =>
      [...new Set(samples.filter((sample) => sample.family === family).map(({ transform }) => transform))]
        .sort()
        .map((transform) => ({ family, transform })),
    ),
  ];
};

export const isInSlice = (slice: SliceKey, sample: SliceKey): boolean =>
  (slice.family === 'all' || slice.family === sample.family) &&
  (slice.transform === 'all' || slice.transform === sample.transform);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Figures of the samples of a slice; every sample is in the denominator. Shares of no samples are 0. */
export const sliceFigures = (key: SliceKey, outcomes: readonly SampleOutcome[]): Slice => {
  const samples = outcomes.length;
  const share = (count: number): number => (samples === 0 ? 0 : count / samples);
  const correct = outcomes.filter(({ verdict }) => verdict === 'correct').length;
  const undecided = outcomes.filter(({ verdict }) => isUndecided(verdict)).length;
  const calls = sum(outcomes.map((outcome) => outcome.calls));
  return {
    family: key.family,
    transform: key.transform,
    samples,
    correct,
    accuracy: share(correct),
    ...wilsonInterval(correct, samples),
    accuracyIfUndecidedRight: share(correct + undecided),
    undecided,
    toolCallsPerEpisode: share(calls),
    toolShare: share(outcomes.filter((outcome) => outcome.calls > 0).length),
    executionSuccess: calls === 0 ? null : sum(outcomes.map((outcome) => outcome.succeededCalls)) / calls,
  };
};

/** The figures of every slice. */
export const allSlices = (outcomes: readonly SampleOutcome[]): Slice[] =>
  sliceKeys(outcomes).map((key) =>
    sliceFigures(
      key,
      outcomes.filter((outcome) => isInSlice(key, outcome)),
    ),
  );
