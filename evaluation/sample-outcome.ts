import type { Episode, EpisodeEnding } from '../domain/episode.ts';
import type { Grade, Verdict } from '../domain/verdict.ts';

/** What the figures need of a sample. */
export interface SampleOutcome {
  readonly sampleId: string;
  readonly family: string;
  readonly transform: string;
  readonly ending: EpisodeEnding;
  readonly verdict: Verdict;
  readonly decidedBy: Grade['decidedBy'];
  readonly calls: number;
  /** Calls that ended as `ok` or `no_output`. */
  readonly succeededCalls: number;
}

export const sampleOutcome = ({ task, turns, ending }: Episode, grade: Grade): SampleOutcome => {
  const calls = turns.flatMap(({ call }) => (call ? [call.outcome] : []));
  return {
    sampleId: task.sampleId,
    family: task.family,
    transform: task.transform,
    ending,
    verdict: grade.verdict,
    decidedBy: grade.decidedBy,
    calls: calls.length,
    succeededCalls: calls.filter((outcome) => outcome === 'ok' || outcome === 'no_output').length,
  };
};

/** The episode failed for reasons that say nothing about the model: it may be asked again. */
export const isFailed = (ending: EpisodeEnding): boolean =>
  ending === 'model_error' || ending === 'sandbox_error' || ending === 'data_error';

export const isUndecided = (verdict: Verdict): boolean => verdict !== 'correct' && verdict !== 'wrong';

/** How often each key occurs. */
export const countBy = <Key extends string>(keys: Iterable<Key>): Partial<Record<Key, number>> => {
  const counts: Partial<Record<Key, number>> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
};
