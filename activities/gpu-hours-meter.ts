import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';
import { factsOf, type UsageFact } from '../domain/gpu-hours-facts.ts';
import { usageLedger } from '../domain/gpu-hours-ledger.ts';
import type { Attempt } from './attempts.ts';
import { checkpointsSince, type MadeCheckpoint } from './checkpoint-watch.ts';
import { outcomeOf, readFailure } from './failure-record.ts';
import { createBudgetWatch } from './gpu-hours-budget-watch.ts';
import { endOfAttempt } from './gpu-hours-end.ts';
import type { MeterOptions } from './gpu-hours-meter-options.ts';
import { addUsageFact, usageFactReader } from './gpu-hours-record.ts';
import type { ProgramMeter } from './program-run.ts';
import { createQuietTimes } from './quiet-times.ts';

/** Gap between two looks at the checkpoints and the budget. */
const lookMs = 1000;
/** Gap between two signs of life in the ledger. */
const seenMs = 300_000;
/** Time that what a checkpoint has brought about has to come to its end, where the attempt ends. */
const settleMs = 60_000;

/**
 * Writes down what an attempt of a training stage uses, and watches over the budget: a stage is stopped at a checkpoint
 * beyond which the budget would be used up. It keeps nothing that a restart of the worker would lose.
 */
export const createMeter = (options: MeterOptions): ProgramMeter => {
  const { run, stage, held, limit } = options;
  const folder = basename(options.outputDir);
  const read = usageFactReader(run);
  const add = (fact: UsageFact): Promise<void> => addUsageFact(run, fact);
  const quiet = createQuietTimes(options.stallSeconds * 1000);
  const budget = limit && createBudgetWatch({ ...options, limit }, read);
  let lookedAt = 0;
  let lastLookAt = 0;
  let seenAt = 0;
  let afterCheckpoint: Promise<void> | undefined;

  const ownFacts = async (attempt: Attempt): Promise<UsageFact[]> =>
    (await read()).filter((fact) => 'attempt' in fact && fact.stage === stage && fact.attempt === attempt.number);

  const noteCheckpoints = async (): Promise<readonly MadeCheckpoint[]> => {
    const known = factsOf(await read(), 'checkpoint').filter((fact) => fact.stage === stage && fact.folder === folder);
    const added = await checkpointsSince(options.outputDir, known);
    for (const { step, at } of added) await add({ kind: 'checkpoint', stage, folder, step, at });
    if (added.length > 0) afterCheckpoint = options.onCheckpoint?.();
    return added;
  };

  return {
    assertWithinBudget: async () => {
      if (!limit || !budget) return;
      const facts = await read();
      const used = usageLedger(facts, limit).budget?.used ?? 0;
      // A stage that was stopped before the limit would only be stopped again, one checkpoint later.
      const stopped = factsOf(facts, 'budget-stopped').some((fact) => fact.limit >= limit.hours);
      if (stopped || used >= limit.hours)
        throw new LensmithError(
          'budget',
          `${used.toPrecision(3)} of limits.gpuHours = ${limit.hours} are used; ${stage} is not begun. ${budget.wayOn}`,
          { where: run.dir },
        );
    },
    begin: (attempt, resumeStep) =>
      add({
        kind: 'attempt-started',
        stage,
        attempt: attempt.number,
        ...held,
        role: 'trainer',
        resumeStep,
        folder,
        at: Date.now(),
      }),
    look: async (attempt, progress) => {
      const now = Date.now();
      lookedAt = now;
      for (const [from, to] of quiet(progress, now))
        await add({ kind: 'attempt-stalled', stage, attempt: attempt.number, from, to });
      const working = progress && progress.phase !== 'launching' && progress.phase !== 'loading';
      if (working && factsOf(await ownFacts(attempt), 'attempt-running').length === 0)
        await add({ kind: 'attempt-running', stage, attempt: attempt.number, at: progress.at });
      if (now - lastLookAt < lookMs) return undefined;
      lastLookAt = now;
      if (now - seenAt > seenMs) {
        await add({ kind: 'attempt-seen', stage, attempt: attempt.number, at: now });
        seenAt = now;
      }
      const made = await noteCheckpoints();
      return working ? budget?.look(attempt, progress, made) : undefined;
    },
    end: async (attempt) => {
      const own = await ownFacts(attempt);
      const [started] = factsOf(own, 'attempt-started');
      if (!started || factsOf(own, 'attempt-ended').length > 0) return;
      await noteCheckpoints();
      const outcome = await outcomeOf(attempt).catch(() => undefined);
      const succeeded = outcome?.status === 'succeeded';
      await add({
        kind: 'attempt-ended',
        stage,
        attempt: attempt.number,
        at: Math.max(started.at, await endOfAttempt(attempt, lookedAt)),
        type: succeeded ? null : ((await readFailure(attempt))?.type ?? null),
        succeeded,
      });
      await Promise.race([afterCheckpoint, delay(settleMs, undefined, { ref: false })]);
    },
  };
};
