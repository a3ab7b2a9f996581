import { entryKey, type SampleEntry } from './journal-entry.ts';
import type { LinePlace } from './read-journal.ts';
import { type SampleOutcome, sampleOutcome } from './sample-outcome.ts';

/** What a journal has of each attempt at a sample, by its key. */
export interface JournalState {
  readonly outcomes: Map<string, SampleOutcome>;
  /** Entries that the judge could not grade: they are graded again, without asking the model again. */
  readonly toGrade: Map<string, LinePlace>;
  /** Sample ids by the samples' places in the data set. */
  readonly rows: Map<number, string>;
}

export const emptyJournalState = (): JournalState => ({ outcomes: new Map(), toGrade: new Map(), rows: new Map() });

/** Takes an entry; the last one of a key counts. */
export const takeEntry = ({ outcomes, toGrade, rows }: JournalState, entry: SampleEntry, place: LinePlace): void => {
  const key = entryKey(entry);
  outcomes.set(key, sampleOutcome(entry.episode, entry.grade));
  if (entry.grade.verdict === 'judge_failed') toGrade.set(key, place);
  else toGrade.delete(key);
  if (entry.row !== undefined) rows.set(entry.row, entry.sampleId);
};
