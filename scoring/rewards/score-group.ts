import type { EpisodeScore } from '../../domain/score.ts';
import { type GradedEpisode, isMasked, type Reward, type Terms } from './reward.ts';

/** A score with the reasons of its terms. */
export interface ExplainedScore extends EpisodeScore {
  readonly reasons: Readonly<Record<string, string>>;
}

const scoreOf = (
  member: GradedEpisode,
  terms: Terms,
  turnRewards: readonly number[],
  masked: boolean,
): ExplainedScore => {
  const entries = Object.entries(terms);
  return {
    grade: member.grade,
    terms: Object.fromEntries(entries.map(([name, { value }]) => [name, value])),
    reasons: Object.fromEntries(entries.map(([name, { why }]) => [name, why])),
    reward: entries.reduce((sum, [, { value }]) => sum + value, 0),
    turnRewards: [...turnRewards],
    masked,
    ...(member.locations && { locations: member.locations }),
  };
};

/**
 * Scores groups by a reward: the sum of each episode's terms, and nothing for a masked one. A reward never gets to see
 * a masked episode, so that masking one changes no other.
 */
export const explainGroups = (
  reward: Reward,
  groups: readonly (readonly GradedEpisode[])[],
): readonly (readonly ExplainedScore[])[] => {
  const kept = groups.map((group) => group.filter((member) => !isMasked(member)));
  const turns = reward.turns?.(kept);
  return groups.map((group, index) => {
    const terms = reward.score(kept[index] ?? []);
    let next = 0;
    return group.map((member) => {
      const zeros = member.episode.turns.map(() => 0);
      if (isMasked(member)) return scoreOf(member, {}, zeros, true);
      const place = next++;
      return scoreOf(member, terms[place] ?? {}, turns?.[index]?.[place] ?? zeros, false);
    });
  });
};

/** As `explainGroups`, without the reasons: what goes over the wire. */
export const scoreGroups = (reward: Reward, groups: readonly (readonly GradedEpisode[])[]): EpisodeScore[][] =>
  explainGroups(reward, groups).map((group) => group.map(({ reasons: _, ...score }) => score));

/** Scores one group. */
export const scoreGroup = (reward: Reward, group: readonly GradedEpisode[]): EpisodeScore[] =>
  scoreGroups(reward, [group])[0] ?? [];
