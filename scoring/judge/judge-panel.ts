import type { JudgeStanding } from '../../domain/judge.ts';
import type { AuditedJudge } from './audited-judge.ts';
import { votingJudge } from './voting-judge.ts';

/** From the worst on: what one judge of a panel lacks, the panel lacks. */
const audits = [
  'failed',
  'unfinished',
  'off',
  'not_needed',
  'passed',
] as const satisfies readonly JudgeStanding['audit'][];

const together = (standings: readonly JudgeStanding[], first: JudgeStanding): JudgeStanding => ({
  id: standings.map(({ id }) => id).join(' + '),
  prompts: first.prompts,
  policy: first.policy,
  audit: audits.find((audit) => standings.some((standing) => standing.audit === audit)) ?? first.audit,
  decides: 2 * standings.filter(({ decides }) => decides).length > standings.length,
  note: standings.map(({ id, note }) => `${id}: ${note}`).join(' | '),
});

/**
 * Makes one judge of several: they vote, each behind an audit of its own. One that is refused has no voice, and more than
 * half of all have to agree. A panel of one is that judge.
 */
export const judgePanel = (first: AuditedJudge, ...others: readonly AuditedJudge[]): AuditedJudge => {
  if (others.length === 0) return first;
  const all = [first, ...others];
  return {
    judge: votingJudge(all.map(({ judge }) => judge)),
    standing: async () => {
      const standings = await Promise.all(all.map(({ standing }) => standing()));
      return together(standings, await first.standing());
    },
  };
};
