import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { type StageName, stageNames } from '../../domain/stage.ts';
import { components } from './components.ts';

/** `kill`: SIGKILL. `pause`: SIGSTOP, and SIGCONT some seconds later. `hang`: SIGSTOP for good. */
export type FaultKind = 'kill' | 'pause' | 'hang';

export interface Fault {
  readonly component: string;
  readonly stage: StageName;
  readonly kind: FaultKind;
  /** Milliseconds between the first sign of the stage's work and the fault. */
  readonly afterMs: number;
}

const shuffled = <Item>(items: readonly Item[], random: RandomGenerator): Item[] => {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index -= 1) {
    const other = uniformInt(random, 0, index);
    const [one, two] = [result[index], result[other]];
    if (one !== undefined && two !== undefined) [result[index], result[other]] = [two, one];
  }
  return result;
};

/** Every fault that there is: a component lost in one of its stages, in one of the ways. */
const everyFault = (): Omit<Fault, 'afterMs'>[] =>
  components.flatMap(({ name, stages, hangIsNoticed }) =>
    stages.flatMap((stage) =>
      (['kill', 'pause', ...(hangIsNoticed ? (['hang'] as const) : [])] as const).map((kind) => ({
        component: name,
        stage,
        kind,
      })),
    ),
  );

/**
 * Draws faults and deals them out to runs, at most one a stage of a run, in the order of the stages. All kinds of faults
 * are drawn before any comes again; the same seed gives the same.
 */
export const drawFaults = (count: number, seed: number, kinds: readonly FaultKind[]): Fault[][] => {
  const random = xoroshiro128plus(seed);
  const open: Fault[] = [];
  while (open.length < count)
    open.push(
      ...shuffled(
        everyFault().filter(({ kind }) => kinds.includes(kind)),
        random,
      ).map((fault) => ({ ...fault, afterMs: uniformInt(random, 0, 2500) })),
    );
  const runs: Fault[][] = [];
  for (const fault of open.slice(0, count)) {
    const free = runs.find((faults) => !faults.some(({ stage }) => stage === fault.stage));
    if (free) free.push(fault);
    else runs.push([fault]);
  }
  const place = ({ stage }: Fault): number => stageNames.indexOf(stage);
  return runs.map((faults) => faults.sort((a, b) => place(a) - place(b)));
};
