import type { StageName } from '../../domain/stage.ts';
import { type Component, components, metStages } from './components.ts';
import { cellsOf } from './draw-faults.ts';
import { type FaultKind, type FaultOutcome, faultKinds } from './fault.ts';
import { markdownTable } from './markdown-table.ts';

type Met = Pick<FaultOutcome, 'component' | 'stage' | 'kind' | 'met'>;

const kindsMet = (faults: readonly Met[], { name }: Component, stage: StageName): FaultKind[] => {
  const here = faults.filter((fault) => fault.met && fault.component === name && fault.stage === stage);
  return faultKinds.filter((kind) => here.some((fault) => fault.kind === kind));
};

/** Which kinds of fault each component met in each stage; `missed` where it can meet some and met none, `–` where none. */
export const coverageTable = (faults: readonly Met[], among: readonly FaultKind[]): string => {
  const rows = components.map((component) => {
    const cells = cellsOf(component, among);
    const columns = metStages.map((stage) => {
      const met = kindsMet(faults, component, stage);
      if (met.length > 0) return met.join(', ');
      return cells.some((cell) => cell.stage === stage) ? 'missed' : '–';
    });
    return [component.name, ...columns];
  });
  return markdownTable(['component', ...metStages], rows);
};

/** Stages and kinds of a component that there are and that were not met. */
export interface Missed {
  readonly component: string;
  readonly stages: readonly StageName[];
  readonly kinds: readonly FaultKind[];
}

/** What was not met though there is some; empty where all is covered. */
export const notCovered = (faults: readonly Met[], among: readonly FaultKind[]): Missed[] =>
  components.flatMap((component) => {
    const cells = cellsOf(component, among);
    const met = faults.filter((fault) => fault.met && fault.component === component.name);
    const stages = new Set(cells.map(({ stage }) => stage)).difference(new Set(met.map(({ stage }) => stage)));
    const kinds = new Set(cells.map(({ kind }) => kind)).difference(new Set(met.map(({ kind }) => kind)));
    if (stages.size === 0 && kinds.size === 0) return [];
    return [{ component: component.name, stages: [...stages], kinds: [...kinds] }];
  });

export const missedInWords = ({ component, stages, kinds }: Missed): string =>
  [
    ...(stages.length > 0 ? [`${component} in ${stages.join(', ')}`] : []),
    ...(kinds.length > 0 ? [`${kinds.join(', ')} of ${component}`] : []),
  ].join('; ');

/** How many faults of a component in a stage with a kind there are, and how many of them were met. */
export const countCells = (faults: readonly Met[], among: readonly FaultKind[]): { met: number; all: number } => {
  const cells = components.flatMap((component) => cellsOf(component, among));
  const met = cells.filter((cell) =>
    faults.some(
      (fault) =>
        fault.met && fault.component === cell.component && fault.stage === cell.stage && fault.kind === cell.kind,
    ),
  );
  return { met: met.length, all: cells.length };
};
