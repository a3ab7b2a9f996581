import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { type Component, components } from './components.ts';
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

/** What is lost, where and how; when is drawn. */
export type Cell = Omit<Fault, 'afterMs' | 'lastsMs'>;

/** Every fault that a component can have, by stages and then kinds. */
export const cellsOf = ({ name, stages, kinds }: Component, among: readonly FaultKind[]): Cell[] =>
  stages.flatMap((stage) =>
    kinds.filter((kind) => among.includes(kind)).map((kind): Cell => ({ component: name, stage, kind })),
  );

/**
 * Faults of a component that have each of its stages and each of its kinds at least once: as many as it has of the one
 * or the other. What hangs costs the most time, so none hangs in more than one of its
 * stages where it has another way.
 */
const coverOf = (component: Component, among: readonly FaultKind[], random: RandomGenerator): Cell[] => {
  const kinds = component.kinds.filter((kind) => among.includes(kind));
  const passing = shuffled(
    kinds.filter((kind) => kind !== 'hang'),
    random,
  );
  const once = [...passing, ...kinds.filter((kind) => kind === 'hang')];
  const repeated = passing.length > 0 ? passing : once;
  const stages = shuffled(component.stages, random);
  if (once.length === 0) return [];
  return Array.from({ length: Math.max(once.length, stages.length) }, (_, index) => ({
    stage: stages[index % stages.length],
    kind: once[index] ?? repeated[(index - once.length) % repeated.length],
  })).flatMap(({ stage, kind }) => (stage && kind ? [{ component: component.name, stage, kind }] : []));
};

const isSame = (one: Cell, other: Cell): boolean =>
  one.component === other.component && one.stage === other.stage && one.kind === other.kind;

/** How many faults it takes to have each of these components in each of its stages, and in each of its ways. */
export const coverSize = (among: readonly FaultKind[], of: readonly Component[] = components): number =>
  of.flatMap((component) => coverOf(component, among, xoroshiro128plus(0))).length;

/** Every fault that there is, once: first those that cover all, then the others. */
const everyFault = (among: readonly FaultKind[], random: RandomGenerator): Cell[] => {
  const cover = components.flatMap((component) => coverOf(component, among, random));
  const all = components.flatMap((component) => cellsOf(component, among));
  const others = all.filter((cell) => !cover.some((covered) => isSame(cell, covered)));
  return [...shuffled(cover, random), ...shuffled(others, random)];
};

const timed = (cell: Cell, random: RandomGenerator): Fault => ({
  ...cell,
  // The first stage is over soon.
  afterMs: cell.stage === 'prepare-data' ? 0 : uniformInt(random, 0, 2000),
  lastsMs: uniformInt(random, 3000, 12_000),
});

/**
 * Draws faults in the order in which they are to be tried: each component in each of its stages and in each of its ways
 * first, then all the others, before any comes again. The same seed gives the same.
 *
 * @throws Error where there is no fault of these kinds
 */
export const drawFaults = (count: number, seed: number, kinds: readonly FaultKind[]): Fault[] => {
  const random = xoroshiro128plus(seed);
  const open: Fault[] = [];
  while (open.length < count) {
    const drawn = everyFault(kinds, random);
    if (drawn.length === 0) throw new Error(`expected kinds of faults that a component has, got "${kinds.join(', ')}"`);
    open.push(...drawn.map((cell) => timed(cell, random)));
  }
  return open.slice(0, count);
};

/**
 * The faults that are named as `component:kind` or `component:kind:stage`; without a stage one in each of its stages.
 *
 * @throws Error where a name means no fault that there is
 */
export const namedFaults = (names: readonly string[], seed: number): Fault[] => {
  const random = xoroshiro128plus(seed);
  return names.flatMap((named) => {
    const [name, kind, stage] = named.split(':');
    const cells = components
      .flatMap((component) => cellsOf(component, component.kinds))
      .filter((cell) => cell.component === name && cell.kind === kind && (stage === undefined || cell.stage === stage));
    if (cells.length === 0) throw new Error(`expected COMPONENT:KIND or COMPONENT:KIND:STAGE, got "${named}"`);
    return cells.map((cell) => timed(cell, random));
  });
};
