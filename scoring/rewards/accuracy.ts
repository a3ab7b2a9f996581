import { type GradedEpisode, isCorrect, type Reward, type TermDescription, type Terms } from './reward.ts';

const answerPattern = /^\s*<answer>(?:(?!<\/?answer>)[\s\S])*<\/answer>\s*$/;

/** Whether the last turn is one well-formed answer and nothing else. */
export const isWellFormed = ({ episode }: GradedEpisode): boolean =>
  episode.ending === 'answered' && answerPattern.test(episode.turns.at(-1)?.text ?? '');

export const accuracyDescriptions = {
  accuracy: { range: [0, 1], what: '1 for a right answer', source: 'the verdict' },
  format: { range: [0, 0.1], what: '0.1 where the last turn is exactly one answer', source: 'Lensmith' },
} as const satisfies Readonly<Record<string, TermDescription>>;

/** The terms of every reward of ours for the outcome. */
export const accuracyTerms = (member: GradedEpisode) => {
  const formed = isWellFormed(member);
  return {
    accuracy: { value: isCorrect(member) ? 1 : 0, why: `${member.grade.verdict}: ${member.grade.reason}` },
    format: {
      value: formed ? 0.1 : 0,
      why: formed ? 'the last turn is one answer' : 'the last turn is not exactly one answer',
    },
  } satisfies Terms;
};

/** The reward without any term for tools: an ablation. */
export const accuracyReward: Reward = {
  terms: accuracyDescriptions,
  score: (group) => group.map(accuracyTerms),
};
