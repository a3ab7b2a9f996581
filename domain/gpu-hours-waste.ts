import type { UsedAttempt } from './gpu-hours-attempts.ts';
import type { FactOf } from './gpu-hours-facts.ts';
import { type Interval, union } from './gpu-hours-intervals.ts';

/** When the work was complete that a checkpoint of this step holds; undefined where no such checkpoint is known. */
const madeAt = (
  checkpoints: readonly FactOf<'checkpoint'>[],
  step: number | null,
  before: number,
): number | undefined => {
  if (step === null) return undefined;
  const known = checkpoints.filter((one) => one.at <= before && one.step <= step);
  const nearest = Math.max(-1, ...known.map((one) => one.step));
  return known.findLast((one) => one.step === nearest)?.at;
};

/**
 * The times of a stage's work that was lost: whenever an attempt began, all that was done since the checkpoint from which
 * it went on; and where the last attempt died, all since the newest checkpoint. An attempt that went on from an older
 * checkpoint than the newest, because that one was not whole, loses the work of several attempts.
 *
 * @param attempts - Of one stage and folder, in the order of their starts: a stage that makes something else, in a folder of
 * its own, takes nothing from what was made before.
 */
export const wastedTimes = (
  attempts: readonly UsedAttempt[],
  checkpoints: readonly FactOf<'checkpoint'>[],
): Interval[] => {
  const ordered = [...checkpoints].sort((a, b) => a.at - b.at);
  const begin = attempts[0]?.started.at ?? 0;
  const lost = attempts.slice(1).map(({ started }): Interval => {
    const from = madeAt(ordered, started.resumeStep, started.at) ?? begin;
    return [from, started.at];
  });
  const last = attempts.at(-1);
  if (last?.ended && !last.ended.succeeded) {
    const end = last.until;
    const newest = ordered.findLast(({ at }) => at <= end);
    // Without a newer one it stays with the checkpoint from which the attempt itself went on.
    const from = newest && newest.at >= last.started.at ? newest.at : last.started.at;
    lost.push([from, end]);
  }
  return union(lost);
};
