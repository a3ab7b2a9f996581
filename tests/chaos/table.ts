import Table from 'cli-table3';
import type { FaultOutcome } from './disturbed-run.ts';

const median = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

const times = (values: readonly (number | null)[]): string => {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return '–';
  return `${median(known)?.toFixed(1)} / ${Math.max(...known).toFixed(1)}`;
};

/** Detection and recovery for each component and kind of fault: p50 / max, seconds. */
export const faultTable = (faults: readonly FaultOutcome[]): string => {
  const table = new Table({ head: ['component', 'fault', 'n', 'replaced after, s', 'the run gets on after, s'] });
  const groups = Map.groupBy(
    faults.filter(({ met }) => met),
    ({ component, kind }) => `${component}\n${kind}`,
  );
  for (const key of [...groups.keys()].sort()) {
    const group = groups.get(key) ?? [];
    const [component = '', kind = ''] = key.split('\n');
    table.push([
      component,
      kind,
      group.length,
      times(group.map(({ replacedSeconds }) => replacedSeconds)),
      times(group.map(({ recoveredSeconds }) => recoveredSeconds)),
    ]);
  }
  return table.toString();
};
