import type { CallOutcome } from '../../domain/sandbox.ts';
import { accuracyTerms } from './accuracy.ts';
import { groupAccuracy, type Reward } from './reward.ts';

const failures: readonly CallOutcome[] = ['exception', 'timeout', 'memory', 'policy'];
const maximumCalls = 10;

/**
 * Our reward: `accuracy` and `format`, and tool terms that follow the difficulty of the task, measured by the group's
 * accuracy `mu`, after the sequence term of CodeDance (arXiv 2512.17312) in a form of our own.
 *
 * - `toolBenefit`, 0 to 0.2: `0.2 (1 − mu) ok/calls` for a right answer with calls: where the task is hard, calls that
 *   ran are encouraged.
 * - `toolCost`, −1 to 0: `−0.1 mu calls`: where the task is easy, each call costs.
 * - `failedCalls`, −5 to 0: `−0.5` for each call that failed by the code's own fault.
 */
export const lensmithReward: Reward = (group) => {
  const mu = groupAccuracy(group);
  return group.map((member) => {
    // A call that the sandbox lost is not the policy's doing.
    const calls = member.episode.turns
      .flatMap(({ call }) => (call && call.outcome !== 'infrastructure' ? [call.outcome] : []))
      .slice(0, maximumCalls);
    const ran = calls.filter((outcome) => outcome === 'ok' || outcome === 'no_output').length;
    const failed = calls.filter((outcome) => failures.includes(outcome)).length;
    const base = accuracyTerms(member);
    return {
      ...base,
      toolBenefit: base.accuracy > 0 && calls.length > 0 ? (0.2 * (1 - mu) * ran) / calls.length : 0,
      toolCost: calls.length === 0 ? 0 : -0.1 * mu * calls.length,
      failedCalls: failed === 0 ? 0 : -0.5 * failed,
    };
  });
};
