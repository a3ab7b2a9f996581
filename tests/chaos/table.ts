import { componentOf } from './components.ts';
import type { FaultOutcome } from './fault.ts';
import { markdownTable } from './markdown-table.ts';

const median = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

const times = (values: readonly (number | null)[]): string => {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return '–';
  return `${median(known)?.toFixed(1)} / ${Math.max(...known).toFixed(1)}`;
};

/** Longest step of a trainer that lived on, during faults that may not cost it any. */
const heldUp = (group: readonly FaultOutcome[]): (number | null)[] =>
  group.map(({ component, steps }) =>
    steps && !componentOf(component).costsSteps ? Math.max(0, steps.longest - steps.median) : null,
  );

/** Detection and recovery for each component and kind of fault: p50 / max, seconds. */
export const faultTable = (faults: readonly FaultOutcome[]): string => {
  const met = faults.filter((fault) => fault.met);
  const groups = Map.groupBy(met, ({ component, kind }) => `${component}\n${kind}`);
  const rows = [...groups].sort(([one], [other]) => one.localeCompare(other));
  const cells = rows.map(([key, group]) => {
    const [component = '', kind = ''] = key.split('\n');
    const columns = (['detectedSeconds', 'replacedSeconds', 'recoveredSeconds'] as const).map((column) =>
      times(group.map((fault) => fault[column])),
    );
    return [component, kind, group.length, ...columns, times(heldUp(group))];
  });
  return markdownTable(['component', 'fault', 'n', 'noticed', 'replaced', 'the run gets on', 'trainer held up'], cells);
};
