import type { RewardName } from '../../domain/score.ts';
import { type GradedEpisode, isCorrect, isMasked, meanOf } from '../rewards/reward.ts';
import { rewards } from '../rewards/rewards.ts';
import { scoreGroups } from '../rewards/score-group.ts';
import { hasFailed, toolCalls } from '../rewards/tool-calls.ts';

/** Episodes of one task that were recorded together. */
export interface RecordedGroup {
  /** Step of RL that they belong to; 0 where they come from evaluations. */
  readonly step: number;
  readonly members: readonly GradedEpisode[];
}

/** What kind of episode it is, as far as rewards differ in it. */
export const episodeKinds = [
  'right, no call',
  'right, calls ran',
  'right, a call failed',
  'wrong, no call',
  'wrong, calls ran',
  'wrong, a call failed',
] as const;
export type EpisodeKind = (typeof episodeKinds)[number];

export const kindOf = (member: GradedEpisode): EpisodeKind => {
  const calls = toolCalls(member);
  const verdict = isCorrect(member) ? 'right' : 'wrong';
  if (calls.length === 0) return `${verdict}, no call`;
  return calls.some(hasFailed) ? `${verdict}, a call failed` : `${verdict}, calls ran`;
};

/** An episode as one reward would have ranked it. */
export interface Ranked {
  readonly member: GradedEpisode;
  readonly kind: EpisodeKind;
  readonly reward: number;
  /** `(reward − mean) / (deviation + epsilon)` over its group, as GRPO learns from it (arXiv 2402.03300, section 4.1.2). */
  readonly advantage: number;
}

export interface ReplayedGroup {
  readonly step: number;
  readonly ranked: readonly Ranked[];
}

/** The same groups under one reward, in the order of the recording. */
export interface Replay {
  readonly name: RewardName;
  readonly groups: readonly ReplayedGroup[];
}

/**
 * Scores recorded groups by a reward; masked episodes are left out.
 *
 * @param epsilon - What is added to the deviation, `rl.advantageEpsilon` of the run.
 */
export const replayReward = (name: RewardName, recorded: readonly RecordedGroup[], epsilon: number): Replay => {
  const kept = recorded.map(({ step, members }) => ({ step, members: members.filter((member) => !isMasked(member)) }));
  const scores = scoreGroups(
    rewards[name],
    kept.map(({ members }) => members),
  );
  const groups = kept.map(({ step, members }, index) => {
    const values = (scores[index] ?? []).map(({ reward }) => reward);
    const mean = meanOf(values);
    const deviation = Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
    const ranked = members.map((member, place) => {
      const reward = values[place] ?? 0;
      // What is left of rounding in a group without spread is no spread.
      const advantage = deviation < 1e-9 ? 0 : (reward - mean) / (deviation + epsilon);
      return { member, kind: kindOf(member), reward, advantage };
    });
    return { step, ranked };
  });
  return { name, groups };
};
