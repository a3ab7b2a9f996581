import type { Episode, Task } from '../../domain/episode.ts';
import type { ImageLocations } from '../../domain/image-location.ts';
import type { Grade } from '../../domain/verdict.ts';

/** An episode with its grade, as a reward sees it. */
export interface GradedEpisode {
  readonly episode: Episode;
  readonly grade: Grade;
  /** Where the images that its code produced come from; left out where nobody looked at the pixels. */
  readonly locations?: ImageLocations | undefined;
}

/** A part of a reward, and why it has its value. */
export interface Term {
  readonly value: number;
  readonly why: string;
}

export type Terms = Readonly<Record<string, Term>>;

/** What a term means, for people: the least and the most that it can be, and where its formula is from. */
export interface TermDescription {
  readonly range: readonly [least: number, most: number];
  readonly what: string;
  readonly source: string;
}

/**
 * A reward: pure functions of episodes of which none is masked. The value of every term lies in its range, and neither
 * function depends on the order of a group's episodes.
 */
export interface Reward {
  readonly terms: Readonly<Record<string, TermDescription>>;
  /** The terms of each episode of a group. */
  readonly score: (group: readonly GradedEpisode[]) => readonly Terms[];
  /** For each group and episode one value a turn, to be added to the advantage of that turn's tokens; 0 without it. */
  readonly turns?: (groups: readonly (readonly GradedEpisode[])[]) => readonly (readonly (readonly number[])[])[];
  /** Whether it looks at `locations` for a task; it never does without it. */
  readonly usesPixels?: (task: Task) => boolean;
}

/** An outage says nothing of the policy: such an episode is left out, and does not count in its group's accuracy. */
export const isMasked = ({ grade }: Pick<GradedEpisode, 'grade'>): boolean =>
  grade.verdict === 'infra_error' || grade.verdict === 'judge_failed';

export const isCorrect = ({ grade }: Pick<GradedEpisode, 'grade'>): boolean => grade.verdict === 'correct';

/** A mean that does not depend on the order of the values, to the last bit; 0 of none. */
export const meanOf = (values: readonly number[]): number =>
  values.length === 0
    ? 0
    : values.toSorted((one, other) => one - other).reduce((sum, value) => sum + value, 0) / values.length;

/** Share of right answers among the episodes of a group that are not masked, 0 to 1; 0 where all are. */
export const groupAccuracy = (group: readonly GradedEpisode[]): number =>
  meanOf(group.filter((member) => !isMasked(member)).map((member) => (isCorrect(member) ? 1 : 0)));

/** `0.25` of a number, for the reasons of terms. */
export const shown = (value: number): string => String(Number(value.toFixed(3)));
