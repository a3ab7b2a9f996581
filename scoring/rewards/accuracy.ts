import type { GradedEpisode, Reward } from './reward.ts';

const answerPattern = /^\s*<answer>(?:(?!<\/?answer>)[\s\S])*<\/answer>\s*$/;

/** Whether the last turn is one well-formed answer and nothing else. */
export const isWellFormed = ({ episode }: GradedEpisode): boolean =>
  episode.ending === 'answered' && answerPattern.test(episode.turns.at(-1)?.text ?? '');

/** `accuracy`: 1 for a right answer; `format`: 0.1 for an ending of exactly one well-formed answer. */
export const accuracyTerms = (member: GradedEpisode) => ({
  accuracy: member.grade.verdict === 'correct' ? 1 : 0,
  format: isWellFormed(member) ? 0.1 : 0,
});

/** The reward without any term for tools: an ablation. */
export const accuracyReward: Reward = (group) => group.map(accuracyTerms);
