import { isUndecided, type SampleOutcome } from './sample-outcome.ts';

/** A group of samples in reports; `all` means every family or transform. */
export interface SliceKey {
  readonly family: string;
  readonly transform: string;
}

/** Sums over the episodes of one family and transform. */
export interface SliceCounts {
  episodes: number;
  correct: number;
  undecided: number;
  calls: number;
  succeededCalls: number;
  /** Episodes with at least one call. */
  withCalls: number;
}

export const noCounts = (): SliceCounts => ({
  episodes: 0,
  correct: 0,
  undecided: 0,
  calls: 0,
  succeededCalls: 0,
  withCalls: 0,
});

/** Adds `more` to `counts`. */
export const addCounts = (counts: SliceCounts, more: Readonly<SliceCounts>): void => {
  counts.episodes += more.episodes;
  counts.correct += more.correct;
  counts.undecided += more.undecided;
  counts.calls += more.calls;
  counts.succeededCalls += more.succeededCalls;
  counts.withCalls += more.withCalls;
};

export const countsOf = ({ verdict, calls, succeededCalls }: SampleOutcome): SliceCounts => ({
  episodes: 1,
  correct: Number(verdict === 'correct'),
  undecided: Number(isUndecided(verdict)),
  calls,
  succeededCalls,
  withCalls: Number(calls > 0),
});

/** The counts of the smallest slices, of which all others are sums. */
export type CountedSlice = SliceKey & { readonly counts: SliceCounts };

/** Counts outcomes by family and transform, in the memory of the slices alone. */
export const createSliceCounter = () => {
  const slices = new Map<string, CountedSlice>();
  return {
    add: (outcome: SampleOutcome): void => {
      const { family, transform } = outcome;
      const name = JSON.stringify([family, transform]);
      const slice = slices.get(name) ?? { family, transform, counts: noCounts() };
      slices.set(name, slice);
      addCounts(slice.counts, countsOf(outcome));
    },
    slices: (): readonly CountedSlice[] => [...slices.values()],
  };
};
