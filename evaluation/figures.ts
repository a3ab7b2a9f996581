import type { SampleOutcome } from './sample-outcome.ts';
import { type CountedSlice, createSliceCounter } from './slice-counts.ts';

/** What the results say of all episodes: counts only, whatever their number. */
export interface Figures {
  readonly episodes: number;
  readonly slices: readonly CountedSlice[];
  readonly endings: Partial<Record<SampleOutcome['ending'], number>>;
  readonly verdicts: Partial<Record<SampleOutcome['verdict'], number>>;
  readonly judgeDecided: number;
}

/** Counts outcomes one by one. */
export const createFigures = () => {
  const slices = createSliceCounter();
  const endings: Figures['endings'] = {};
  const verdicts: Figures['verdicts'] = {};
  let episodes = 0;
  let judgeDecided = 0;
  return {
    add: (outcome: SampleOutcome): void => {
      episodes += 1;
      slices.add(outcome);
      endings[outcome.ending] = (endings[outcome.ending] ?? 0) + 1;
      verdicts[outcome.verdict] = (verdicts[outcome.verdict] ?? 0) + 1;
      judgeDecided += Number(outcome.decidedBy === 'judge');
    },
    figures: (): Figures => ({ episodes, slices: slices.slices(), endings, verdicts, judgeDecided }),
  };
};

/** `answered 3, time_limit 1`. */
export const listed = (counts: Readonly<Partial<Record<string, number>>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
