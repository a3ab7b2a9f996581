import { Context } from '@temporalio/activity';
import { type BudgetPace, budgetStop, budgetWarning, forecastHours } from '../domain/gpu-hours-budget.ts';
import { factsOf, type UsageFact } from '../domain/gpu-hours-facts.ts';
import { type UsageLimit, usageLedger } from '../domain/gpu-hours-ledger.ts';
import type { Progress } from '../domain/progress.ts';
import type { RunRef, StageName } from '../domain/stage.ts';
import type { Attempt } from './attempts.ts';
import type { MadeCheckpoint } from './checkpoint-watch.ts';
import type { MeterOptions } from './gpu-hours-meter-options.ts';
import { addUsageFact } from './gpu-hours-record.ts';

/** Arguments of the signal `stage-note`. */
export interface StageNoteSignal {
  readonly stage: StageName;
  readonly note: string;
}

export interface BudgetWatch {
  /** What a person can do once the budget is used up. */
  readonly wayOn: string;
  /** Gives the reason for which the stage has to stop at the checkpoint that it has just made. */
  readonly look: (attempt: Attempt, progress: Progress, made: readonly MadeCheckpoint[]) => Promise<string | undefined>;
}

/** A checkpoint that is older than this when it is found is no place to stop at. */
const freshMs = 30_000;

/** A signal that cannot be delivered is in the ledger all the same. */
const tell = (run: RunRef, signal: StageNoteSignal): Promise<void> =>
  Context.current()
    .client.workflow.getHandle(run.workflowId)
    .signal('stage-note', signal)
    .catch(() => undefined);

/** Watches over `limits.gpuHours` of a run while a stage trains: warns once at the forecast and once at the share. */
export const createBudgetWatch = (
  options: MeterOptions & { readonly limit: UsageLimit },
  read: () => Promise<readonly UsageFact[]>,
): BudgetWatch => {
  const { run, stage, held, limit, warning } = options;

  const paceOf = async (attempt: Attempt, { step, total }: Progress, now: number): Promise<BudgetPace> => {
    const own = (await read()).filter(
      (fact) => 'attempt' in fact && fact.stage === stage && fact.attempt === attempt.number,
    );
    const done = step - (factsOf(own, 'attempt-started')[0]?.resumeStep ?? 0);
    const [running] = factsOf(own, 'attempt-running');
    const hours = running ? ((now - running.at) / 3_600_000) * held.count : 0;
    return { step, total, hoursPerStep: done > 0 && hours > 0 ? hours / done : null, saveEvery: options.saveEvery };
  };

  const warn = async (used: number, pace: BudgetPace, now: number): Promise<void> => {
    const forecast = forecastHours(used, pace);
    const why = budgetWarning({ limit: limit.hours, warning, used, forecast });
    if (!why) return;
    const given = factsOf(await read(), 'budget-warned').filter((fact) => fact.limit === limit.hours);
    const share = warning * limit.hours;
    if (given.some((fact) => used < share || fact.used >= share)) return;
    await addUsageFact(run, { kind: 'budget-warned', stage, at: now, used, forecast, limit: limit.hours });
    Context.current().log.warn(`the budget of ${run.run}: ${why}`);
    await tell(run, { stage, note: `budget: ${why}` });
  };

  const wayOn = `Go on: lensmith resume ${run.run} --set limits.gpuHours=${Number((2 * limit.hours).toPrecision(2))}`;
  return {
    wayOn,
    look: async (attempt, progress, made) => {
      const now = Date.now();
      const alive: UsageFact = { kind: 'attempt-seen', stage, attempt: attempt.number, at: now };
      const used = usageLedger([...(await read()), alive], limit).budget?.used ?? 0;
      const pace = await paceOf(attempt, progress, now);
      await warn(used, pace, now);
      const fresh = made.findLast(({ at }) => now - at < freshMs);
      const why = fresh && budgetStop({ limit: limit.hours, used }, pace);
      if (!why) return undefined;
      await addUsageFact(run, { kind: 'budget-stopped', stage, at: now, used, forecast: null, limit: limit.hours });
      return `${why}; stopped at checkpoint-${fresh.step}. ${wayOn}`;
    },
  };
};
