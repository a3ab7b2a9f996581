import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { type StageName, stageNames } from '../../domain/stage.ts';
import { componentOf, components } from './components.ts';
import type { Fault, FaultKind } from './fault.ts';

const shuffled = <Item>(items: readonly Item[], random: RandomGenerator): Item[] => {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index -= 1) {
    const other = uniformInt(random, 0, index);
    const [one, two] = [result[index], result[other]];
    if (one !== undefined && two !== undefined) [result[index], result[other]] = [two, one];
  }
  return result;
};

type Draw = Omit<Fault, 'afterMs' | 'lastsMs'>;

/** Every fault that there is, once: of each component and kind one stage first, then another of each, and so on. */
const everyFault = (kinds: readonly FaultKind[], random: RandomGenerator): Draw[] => {
  const ways = components.flatMap(({ name, stages, ...component }) =>
    component.kinds
      .filter((kind) => kinds.includes(kind))
      .map((kind) => shuffled(stages, random).map((stage): Draw => ({ component: name, stage, kind }))),
  );
  const rounds = Math.max(0, ...ways.map((faults) => faults.length));
  return Array.from({ length: rounds }, (_, round) => ways.flatMap((faults) => faults[round] ?? [])).flatMap((faults) =>
    shuffled(faults, random),
  );
};

/**
 * Draws faults in the order in which they are to be tried: each component in each way before any comes again in another
 * stage, and all that there are before any comes again. The same seed gives the same.
 *
 * @throws Error where there is no fault of these kinds
 */
export const drawFaults = (count: number, seed: number, kinds: readonly FaultKind[]): Fault[] => {
  const random = xoroshiro128plus(seed);
  const open: Fault[] = [];
  while (open.length < count) {
    const drawn = everyFault(kinds, random);
    if (drawn.length === 0) throw new Error(`expected kinds of faults that a component has, got "${kinds.join(', ')}"`);
    open.push(
      ...drawn.map((fault) => ({
        ...fault,
        afterMs: uniformInt(random, 0, 2000),
        lastsMs: uniformInt(random, 3000, 12_000),
      })),
    );
  }
  return open.slice(0, count);
};

/** So many faults a stage of one run is long enough for. */
const room: Readonly<Partial<Record<StageName, number>>> = {
  'base-model': 5,
  sft: 5,
  'serve-judge': 2,
  rl: 7,
  'evaluate-checkpoints': 1,
  'benchmark-suite': 4,
};

export const needsJudge = ({ component, stage }: Fault): boolean => component === 'judge' || stage === 'serve-judge';

/** What ends an attempt of a trainer comes once a stage, other components twice; a full disk ends a run, and comes once. */
const fits = (chosen: readonly Fault[], fault: Fault): boolean => {
  const same = chosen.filter(({ stage }) => stage === fault.stage);
  if (same.length >= (room[fault.stage] ?? 1)) return false;
  const often = same.filter(({ component }) => component === fault.component).length;
  if (often >= (componentOf(fault.component).costsSteps ? 1 : 2)) return false;
  return fault.kind !== 'fill' || chosen.every(({ kind }) => kind !== 'fill');
};

/**
 * Takes the faults of one run from those that are open, the first ones first, and puts them in the order of the stages.
 * A run whose first fault does not need the judge goes without.
 */
export const dealRun = (open: readonly Fault[]): { run: Fault[]; rest: Fault[] } => {
  const judged = open.slice(0, 1).some(needsJudge);
  const preferred = judged ? [...open.filter(needsJudge), ...open.filter((fault) => !needsJudge(fault))] : open;
  const taken = new Set<Fault>();
  for (const fault of preferred) if ((judged || !needsJudge(fault)) && fits([...taken], fault)) taken.add(fault);
  const place = ({ stage }: Fault): number => stageNames.indexOf(stage);
  return {
    run: [...taken].sort((a, b) => place(a) - place(b)),
    rest: open.filter((fault) => !taken.has(fault)),
  };
};
