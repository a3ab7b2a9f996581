import type { GradedEpisode } from './reward.ts';

/** Sources whose answers the released code scores as mathematics (`compute_score`). */
export const mathSources: readonly string[] = ['thinklite_eureka', 'xince'];

/** What the model wrote, without the tool's messages. */
export const writtenText = ({ episode }: GradedEpisode): string => episode.turns.map(({ text }) => text).join('\n');

const count = (text: string, part: string): number => text.split(part).length - 1;

/** Thoughts are closed, and there is exactly one answer. */
export const hasCodedanceForm = (member: GradedEpisode): boolean => {
  const text = writtenText(member);
  return (
    count(text, '<think>') === count(text, '</think>') &&
    count(text, '<answer>') === 1 &&
    count(text, '</answer>') === 1 &&
    /<answer>[\s\S]*?<\/answer>/.test(text)
  );
};

const callPenalty = -0.5;
const discount = 0.2;

/**
 * Values of the turns of an episode, backwards: `R_k = r_k + 0.2 R_{k+1}` with `r_k = −0.5` for a bad call and 0 for
 * another, and 0 after the last call (`tool_reward_step`).
 *
 * @param bad - For each call whether it was bad.
 * @returns One value a call.
 */
export const discountedPenalties = (bad: readonly boolean[]): number[] => {
  const values = bad.map(() => 0);
  let following = 0;
  for (let index = bad.length - 1; index >= 0; index -= 1) {
    following = (bad[index] ? callPenalty : 0) + discount * following;
    values[index] = following;
  }
  return values;
};

/** Puts the values of calls at their turns. */
export const atTurns = (
  { episode }: GradedEpisode,
  calls: readonly { readonly turn: number }[],
  values: readonly number[],
): number[] => {
  const result = episode.turns.map(() => 0);
  calls.forEach(({ turn }, index) => {
    result[turn] = values[index] ?? 0;
  });
  return result;
};
