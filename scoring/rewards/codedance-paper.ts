import { atTurns, discountedPenalties, hasCodedanceForm } from './codedance-terms.ts';
import { groupAccuracy, isCorrect, type Reward, shown } from './reward.ts';
import { toolCalls } from './tool-calls.ts';

const gamma = 4;
const delta = 0.2;

/** `d = σ(γ (0.5 − mu)) − δ` with γ = 4 and δ = 0.2: large where a group is mostly wrong, negative where it is right. */
export const paperDifficulty = (mu: number): number => 1 / (1 + Math.exp(-gamma * (0.5 - mu))) - delta;

/**
 * CodeDance as its paper has it (arXiv 2512.17312): `R = R_acc + R_format + R_seq`, and `R_turn` for the turns. A call
 * succeeds by its typed outcome, `mu` is the share of right answers. What the paper leaves open is as in the released
 * code: the size of the format term, −0.5 for a bad call and the discount 0.2; values of turns are neither scaled nor
 * standardised, for that is in the code only.
 */
export const codedancePaper: Reward = {
  terms: {
    accuracy: { range: [0, 1], what: '1 for a right answer', source: 'R_acc' },
    format: { range: [-0.2, 0], what: '−0.2 unless thoughts are closed and there is one answer', source: 'R_format' },
    sequence: {
      range: [-0.2, 0.7],
      what: 'd N_succ / N_total, d = σ(4 (0.5 − mu)) − 0.2; 0 without calls',
      source: 'R_seq of R_BAT',
    },
  },
  score: (group) => {
    const mu = groupAccuracy(group);
    const difficulty = paperDifficulty(mu);
    return group.map((member) => {
      const calls = toolCalls(member);
      const succeeded = calls.filter(({ call }) => call.outcome === 'ok').length;
      const formed = hasCodedanceForm(member);
      return {
        accuracy: { value: isCorrect(member) ? 1 : 0, why: `${member.grade.verdict}: ${member.grade.reason}` },
        format: { value: formed ? 0 : -0.2, why: formed ? 'well formed' : 'open thoughts, or not one answer' },
        sequence: {
          value: calls.length === 0 ? 0 : (difficulty * succeeded) / calls.length,
          why: `mu ${shown(mu)}, d ${shown(difficulty)}, ${succeeded} of ${calls.length} calls succeeded`,
        },
      };
    });
  },
  turns: (groups) =>
    groups.map((group) =>
      group.map((member) => {
        const calls = toolCalls(member);
        return atTurns(member, calls, discountedPenalties(calls.map(({ call }) => call.outcome !== 'ok')));
      }),
    ),
};
