import type { StageName } from '../../domain/stage.ts';
import type { Summary } from '../../domain/summary.ts';
import { componentOf } from './components.ts';
import type { DisturbedRun } from './disturbed-run.ts';
import type { FaultOutcome } from './fault.ts';
import { leasesOf, temporaryFiles } from './leftovers.ts';
import { stepsOf } from './observe.ts';
import type { ChaosStack } from './open-stack.ts';
import { repetitionsOf } from './repetitions.ts';

/** How many steps the stages with a program have, and after how many they save. */
export type Sizes = Readonly<Partial<Record<StageName, { readonly steps: number; readonly saveEvery: number }>>>;

/** What is wrong with the curve of a program; empty where it has each step once, in order. */
export const faultsOfSteps = (stage: string, written: readonly number[], steps: number): string[] => {
  const wrong: string[] = [];
  const missing = Array.from({ length: steps }, (_, index) => index + 1).filter((step) => !written.includes(step));
  if (missing.length > 0) wrong.push(`${stage}: steps ${missing.join(', ')} were never done`);
  for (let index = 1; index < written.length; index += 1) {
    const [last = 0, next = 0] = [written[index - 1], written[index]];
    if (next !== last + 1) wrong.push(`${stage}: after step ${last} came ${next}`);
  }
  return wrong;
};

type Row = Summary['evaluations'][number];

const rowsOf = ({ evaluations }: Summary, models: readonly string[]): Row[] =>
  evaluations.filter(({ model, dataset }) => models.includes(model) && dataset === 'test');

/** Where two summaries differ in the figures of these models. */
export const differences = (one: Summary, other: Summary, models: readonly string[]): string[] => {
  const [ours, theirs] = [rowsOf(one, models), rowsOf(other, models)];
  if (ours.length !== theirs.length || ours.length === 0)
    return [`expected as many rows of ${models.join(', ')}, got ${ours.length} and ${theirs.length}`];
  return ours.flatMap((row, index) => {
    const same = JSON.stringify(row) === JSON.stringify(theirs[index]);
    return same ? [] : [`${row.model} ${row.family} ${row.transform}: ${JSON.stringify([row, theirs[index]])}`];
  });
};

/** What is wrong with how a run bore a fault. */
export const faultsOfOutcome = (outcome: FaultOutcome): string[] => {
  const { stage, component, kind, met, recoveredSeconds, failure, restarted } = outcome;
  if (!met) return [];
  const wrong: string[] = [];
  if (recoveredSeconds === null) wrong.push('the run never got on');
  if (failure !== null && failure !== 'disk_full') wrong.push(`it ended the run as ${failure}, not as disk_full`);
  if (restarted && !componentOf(component).costsSteps) wrong.push('it cost the trainer an attempt');
  return wrong.map((what) => `${kind} ${component} in ${stage}: ${what}`);
};

/** Everything that is wrong with how a disturbed run ended. */
export const faultsOfRun = async (stack: ChaosStack, done: DisturbedRun, sizes: Sizes): Promise<string[]> => {
  const wrong = done.faults.flatMap(faultsOfOutcome);
  if (done.status !== 'COMPLETED') wrong.push(`it ended as ${done.status} ${done.failure ?? ''}`);
  if (!done.summary) wrong.push('it left no summary');
  for (const command of done.remains) wrong.push(`left running: ${command}`);
  for (const file of await temporaryFiles(done.dir)) wrong.push(`left lying: ${file}`);
  for (const lease of await leasesOf(stack, done.run)) wrong.push(`left leased: ${lease}`);
  for (const [stage, { steps, saveEvery }] of Object.entries(sizes)) {
    const written = (await stepsOf(done.dir, stage as StageName)).map(({ step }) => step);
    wrong.push(...faultsOfSteps(stage, written, steps));
    for (const { attempt, again } of await repetitionsOf(done.dir, stage))
      if (again > saveEvery)
        wrong.push(`${stage}: attempt ${attempt} did ${again} steps again, saved every ${saveEvery}`);
  }
  return wrong;
};
