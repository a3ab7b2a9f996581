import { setTimeout as delay } from 'node:timers/promises';
import type { Judge, JudgeGrade } from './judge-client.ts';

/**
 * A judge that is waited for until a time and no longer; what it has not decided by then is `judge_failed`. It goes on
 * with what it was asked, so that its cache has the verdict for the next time.
 *
 * @param until - On the clock of `performance.now()`.
 */
export const judgeUntil = (judge: Judge, until: number): Judge => {
  const late: JudgeGrade = {
    verdict: 'judge_failed',
    decidedBy: 'none',
    reason: 'the judge had not decided when the time of the request was over',
  };
  return async (question) => {
    const leftMs = until - performance.now();
    if (leftMs <= 0) return late;
    const timer = new AbortController();
    const over = delay(leftMs, late, { signal: timer.signal, ref: false }).catch(() => late);
    try {
      return await Promise.race([judge(question), over]);
    } finally {
      timer.abort();
    }
  };
};
