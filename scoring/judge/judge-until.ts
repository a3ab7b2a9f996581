import { awaitedGrade, type Judge } from './judge-client.ts';
import { within } from './within.ts';

/**
 * A judge that is waited for until a time and no longer; what it has not decided by then is `judge_failed`. It goes on
 * with what it was asked, so that its cache has the verdict for the next time.
 *
 * @param until - On the clock of `performance.now()`.
 */
export const judgeUntil = (judge: Judge, until: number): Judge => {
  const late = awaitedGrade('the judge had not decided when the time of the request was over');
  return async (question) => {
    const leftMs = until - performance.now();
    if (leftMs <= 0) return late;
    return within(leftMs, judge(question), late);
  };
};
