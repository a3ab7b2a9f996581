import type { StageName } from '../../domain/stage.ts';
import type { Summary } from '../../domain/summary.ts';
import type { DisturbedRun } from './disturbed-run.ts';
import { stepsOf } from './observe.ts';

/** How many steps the stages with a program have, and after how many they save. */
export type Sizes = Readonly<Partial<Record<StageName, { readonly steps: number; readonly saveEvery: number }>>>;

/** What is wrong with the steps that a program has written; empty where each was done, and few again. */
export const faultsOfSteps = (
  stage: string,
  written: readonly number[],
  { steps, saveEvery }: { readonly steps: number; readonly saveEvery: number },
): string[] => {
  const wrong: string[] = [];
  const missing = Array.from({ length: steps }, (_, index) => index + 1).filter((step) => !written.includes(step));
  if (missing.length > 0) wrong.push(`${stage}: steps ${missing.join(', ')} were never done`);
  for (let index = 1; index < written.length; index += 1) {
    const [last = 0, next = 0] = [written[index - 1], written[index]];
    if (next <= last - saveEvery) wrong.push(`${stage}: after step ${last} it went back to ${next}, over a checkpoint`);
    if (next > last + 1) wrong.push(`${stage}: after step ${last} came ${next}`);
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

/** Everything that is wrong with how a disturbed run ended. */
export const faultsOfRun = async (done: DisturbedRun, sizes: Sizes): Promise<string[]> => {
  const wrong: string[] = [];
  if (done.status !== 'COMPLETED') wrong.push(`it ended as ${done.status}`);
  if (!done.summary) wrong.push('it left no summary');
  for (const command of done.remains) wrong.push(`left running: ${command}`);
  for (const { stage, component, kind, met, recoveredSeconds } of done.faults)
    if (met && recoveredSeconds === null) wrong.push(`${kind} ${component} in ${stage}: the run never got on`);
  for (const [stage, size] of Object.entries(sizes))
    wrong.push(...faultsOfSteps(stage, await stepsOf(done.dir, stage as StageName), size));
  return wrong;
};
