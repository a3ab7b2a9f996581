import type { Episode } from '../../domain/episode.ts';
import type { EpisodeScore } from '../../domain/score.ts';
import type { Grade } from '../../domain/verdict.ts';

/** An episode with its grade, as a reward sees it. */
export interface GradedEpisode {
  readonly episode: Episode;
  readonly grade: Grade;
}

/** A pure function of the episodes of one task: each term by name, every one bounded. */
export type Reward = (group: readonly GradedEpisode[]) => readonly Readonly<Record<string, number>>[];

/** An outage says nothing of the policy: such an episode is left out, and does not count in its group's accuracy. */
export const isMasked = ({ grade }: GradedEpisode): boolean =>
  grade.verdict === 'infra_error' || grade.verdict === 'judge_failed';

/** Share of right answers among the episodes of a group that are not masked, 0 to 1; 0 where all are. */
export const groupAccuracy = (group: readonly GradedEpisode[]): number => {
  const known = group.filter((member) => !isMasked(member));
  return known.length === 0 ? 0 : known.filter(({ grade }) => grade.verdict === 'correct').length / known.length;
};

/** Scores a group by a reward: the sum of its terms, and nothing for a masked episode. */
export const scoreGroup = (reward: Reward, group: readonly GradedEpisode[]): EpisodeScore[] => {
  const allTerms = reward(group);
  return group.map((member, index) => {
    const masked = isMasked(member);
    const terms = masked ? {} : { ...allTerms[index] };
    return {
      grade: member.grade,
      terms,
      reward: Object.values(terms).reduce((sum, term) => sum + term, 0),
      turnRewards: member.episode.turns.map(() => 0),
      masked,
    };
  });
};
