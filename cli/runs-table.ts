import Table from 'cli-table3';
import type { ListedRun } from './list-runs.ts';
import { minutesText } from './minutes-text.ts';

const duration = (ms: number): string => {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  return minutes < 1 ? `${Math.round(ms / 1000)} s` : minutesText(minutes);
};

const stateOf = ({ state, stage }: ListedRun): string => (stage === null ? state : `${state}: ${stage}`);

/** Runs for a terminal, one a line; `now` is Unix time in milliseconds. */
export const runsTable = (runs: readonly ListedRun[], now: number): string => {
  if (runs.length === 0) return 'Temporal knows no run';
  const table = new Table({
    head: ['run', 'kind', 'state', 'started (UTC)', 'for', 'outcome'],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [null, null, null, null, null, 60],
  });
  for (const run of runs)
    table.push([
      run.run,
      run.kind,
      stateOf(run),
      new Date(run.startedAt).toISOString().slice(0, 16).replace('T', ' '),
      duration((run.endedAt ?? now) - run.startedAt),
      run.outcome ?? '–',
    ]);
  return table.toString();
};
