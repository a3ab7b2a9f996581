import type { Grade } from '../../domain/verdict.ts';
import type { Judge } from './judge-client.ts';

const isDecided = ({ verdict }: Grade): boolean => verdict === 'correct' || verdict === 'wrong';

/**
 * Lets several judges vote: what more than half of all of them say counts, else the answer stays undecided. A judge that
 * cannot tell or is away says nothing, and its voice is not given to the others.
 */
export const votingJudge =
  (judges: readonly Judge[]): Judge =>
  async (question) => {
    const grades = await Promise.all(judges.map((judge) => judge(question)));
    const [first] = grades;
    // What was decided before any judge was asked, all of them have from the same guard.
    if (first && !isDecided(first) && first.verdict !== 'judge_failed') return first;
    const votes = grades.filter(isDecided);
    for (const verdict of ['correct', 'wrong'] as const) {
      const same = votes.filter((grade) => grade.verdict === verdict);
      const [one] = same;
      if (one && same.length > judges.length / 2) {
        const reason = `${same.length} of ${judges.length} judges: ${one.reason}`;
        return { verdict, decidedBy: 'judge', reason, cached: votes.every(({ cached }) => cached) };
      }
    }
    const counted = (verdict: string): number => grades.filter((grade) => grade.verdict === verdict).length;
    return {
      verdict: 'judge_failed',
      decidedBy: 'none',
      reason: `no majority of ${judges.length} judges: ${counted('correct')} correct, ${counted('wrong')} wrong; ${grades.find((grade) => !isDecided(grade))?.reason ?? 'they disagree'}`,
      ...(grades.some(({ awaitsJudge }) => awaitsJudge) ? { awaitsJudge: true as const } : {}),
    };
  };
