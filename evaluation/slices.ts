import type { Slice } from '../domain/evaluation.ts';
import type { SampleOutcome } from './sample-outcome.ts';
import { addCounts, type CountedSlice, createSliceCounter, noCounts, type SliceKey } from './slice-counts.ts';
import { wilsonInterval } from './statistics/wilson-interval.ts';

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

/**
 * Figures of a slice; every episode is in the denominator. Shares of no episodes are 0.
 *
 * @param attempts - Episodes of a sample. They are not independent: the interval is that of as many samples as there
 * are, each with the mean of its attempts, which is the widest that their correlation allows.
 */
const figuresOf = (key: SliceKey, parts: readonly CountedSlice[], attempts: number): Slice => {
  const counts = noCounts();
  for (const part of parts) if (isInSlice(key, part)) addCounts(counts, part.counts);
  const { episodes, correct, undecided, calls, succeededCalls, withCalls } = counts;
  const share = (count: number): number => (episodes === 0 ? 0 : count / episodes);
  return {
    family: key.family,
    transform: key.transform,
    samples: episodes,
    correct,
    accuracy: share(correct),
    ...wilsonInterval(correct / attempts, episodes / attempts),
    accuracyIfUndecidedRight: share(correct + undecided),
    undecided,
    toolCallsPerEpisode: share(calls),
    toolShare: share(withCalls),
    executionSuccess: calls === 0 ? null : succeededCalls / calls,
  };
};

/** The figures of every slice, from the counts of the smallest. */
export const countedSlices = (parts: readonly CountedSlice[], attempts = 1): Slice[] =>
  sliceKeys(parts).map((key) => figuresOf(key, parts, attempts));

/** The figures of every slice. */
export const allSlices = (outcomes: readonly SampleOutcome[]): Slice[] => {
  const counter = createSliceCounter();
  for (const outcome of outcomes) counter.add(outcome);
  return countedSlices(counter.slices());
};
