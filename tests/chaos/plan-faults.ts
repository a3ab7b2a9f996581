import { components } from './components.ts';
import { countCells, coverageTable, missedInWords, notCovered } from './coverage.ts';
import { dealRun } from './deal-run.ts';
import { coverSize, drawFaults, namedFaults } from './draw-faults.ts';
import type { Fault, FaultKind } from './fault.ts';

export interface Plan {
  /** In the order in which they are to be tried; more than are wanted, in case some are not met. */
  readonly faults: readonly Fault[];
  /** How many are to be met. */
  readonly count: number;
}

export interface PlanOptions {
  readonly kinds: readonly FaultKind[];
  readonly seed: number;
  /** @default as many as it takes to have each component in each of its stages and in each of its ways */
  readonly count?: number;
  /** Components that may be lost. @default all */
  readonly names?: readonly string[];
  /** The faults to do, as `component:kind` or `component:kind:stage`, and no others. */
  readonly only?: readonly string[];
}

export const planFaults = ({ kinds, seed, only, ...options }: PlanOptions): Plan => {
  if (only) {
    const faults = namedFaults(only, seed).filter(({ kind }) => kinds.includes(kind));
    return { faults, count: faults.length };
  }
  const names = options.names ?? components.map(({ name }) => name);
  const wanted = components.filter(({ name }) => names.includes(name));
  const count = options.count ?? coverSize(kinds, wanted);
  const drawn = drawFaults(10 * count + 500, seed, kinds);
  return { faults: drawn.filter(({ component }) => names.includes(component)), count };
};

/** What would be done, had every fault met its component: the faults of each run, and what they cover. */
export const planInWords = ({ faults, count }: Plan, kinds: readonly FaultKind[]): string => {
  const lines: string[] = [];
  let open = faults.slice(0, count);
  for (let number = 1; open.length > 0; number += 1) {
    const { run, rest } = dealRun(open);
    lines.push(...run.map(({ stage, kind, component }) => `run ${number} ${stage}: ${kind} ${component}`));
    open = rest;
  }
  const met = faults.slice(0, count).map((fault) => ({ ...fault, met: true }));
  const cells = countCells(met, kinds);
  return [
    ...lines,
    ...['', coverageTable(met, kinds), ''],
    ...notCovered(met, kinds).map((what) => `left out: ${missedInWords(what)}`),
    `${count} faults, ${cells.met} of ${cells.all} that differ in component, stage or kind`,
  ].join('\n');
};
