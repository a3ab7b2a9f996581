import { basename } from 'node:path';
import type { UsageLedger } from '../domain/gpu-hours.ts';
import { factsOf, type UsageFact } from '../domain/gpu-hours-facts.ts';
import { usageLedger } from '../domain/gpu-hours-ledger.ts';
import { budgetUnit } from '../domain/gpu-hours-resources.ts';
import type { RunRef } from '../domain/stage.ts';
import { livesStill, readLedger } from '../processes/ledger.ts';
import { type Attempt, listAttempts } from './attempts.ts';
import { checkpointsSince } from './checkpoint-watch.ts';
import { lastProgress } from './failure-record.ts';
import { readUsageFacts } from './gpu-hours-record.ts';
import { readSpec } from './read-run.ts';
import { checkpointFolders } from './run-folders.ts';

/** Now where its process lives on this host; else its last progress. */
const lastSign = async (attempt: Attempt): Promise<number | undefined> => {
  const ledger = await readLedger(attempt.dir).catch(() => undefined);
  return ledger?.process && livesStill(ledger.process) ? Date.now() : (await lastProgress(attempt))?.at;
};

/** The last sign of life of attempts whose end nobody has written down: they live, or died unseen. */
const lastSigns = async (run: Pick<RunRef, 'dir'>, facts: readonly UsageFact[]): Promise<UsageFact[]> => {
  const over = factsOf(facts, 'attempt-ended');
  const open = factsOf(facts, 'attempt-started').filter(
    (fact) => !over.some(({ stage, attempt }) => stage === fact.stage && attempt === fact.attempt),
  );
  const signs = await Promise.all(
    open.map(async ({ stage, attempt }): Promise<UsageFact[]> => {
      const files = (await listAttempts(run, stage)).find(({ number }) => number === attempt);
      const at = files && (await lastSign(files));
      return at === undefined ? [] : [{ kind: 'attempt-seen', stage, attempt, at }];
    }),
  );
  return signs.flat();
};

/** Checkpoints that became complete while no worker looked. */
const unseenCheckpoints = async (run: Pick<RunRef, 'dir'>, facts: readonly UsageFact[]): Promise<UsageFact[]> => {
  const known = factsOf(facts, 'checkpoint');
  const found = await Promise.all(
    (await checkpointFolders(run)).map(async ({ stage, path }) => {
      const folder = basename(path);
      const own = known.filter((fact) => fact.stage === stage && fact.folder === folder);
      return (await checkpointsSince(path, own)).map(({ step, at }): UsageFact => {
        return { kind: 'checkpoint', stage, folder, step, at };
      });
    }),
  );
  return found.flat();
};

/** What a run has used so far, from what is written in its folder; an attempt under way counts up to now. */
export const readUsage = async (run: Pick<RunRef, 'dir'>): Promise<UsageLedger> => {
  const spec = await readSpec(run);
  const { gpuHours } = spec.limits;
  const facts = await readUsageFacts(run);
  return usageLedger(
    [...facts, ...(await lastSigns(run, facts)), ...(await unseenCheckpoints(run, facts))],
    gpuHours === null ? null : { unit: budgetUnit(spec), hours: gpuHours },
  );
};
