import type { Episode } from '../domain/episode.ts';
import type { SampleEntry } from './journal-entry.ts';
import { isOutage, type SampleOutcome, sampleOutcome } from './sample-outcome.ts';

/** What a journal has of each sample, by id. What an outage hit is in neither map: it is asked again. */
export interface JournalState {
  readonly outcomes: Map<string, SampleOutcome>;
  /** Episodes that the judge could not grade: graded again, without asking the model again. */
  readonly toGrade: Map<string, Episode>;
}

export const emptyJournalState = (): JournalState => ({ outcomes: new Map(), toGrade: new Map() });

/** Takes an entry; the last one of a sample counts. */
export const takeEntry = ({ outcomes, toGrade }: JournalState, { sampleId, episode, grade }: SampleEntry): void => {
  outcomes.delete(sampleId);
  toGrade.delete(sampleId);
  if (isOutage(episode.ending)) return;
  if (grade.verdict === 'judge_failed') toGrade.set(sampleId, episode);
  else outcomes.set(sampleId, sampleOutcome(episode, grade));
};
