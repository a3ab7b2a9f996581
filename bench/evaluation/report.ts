import Table from 'cli-table3';
import type { Measured } from './measure-subject.ts';

/** One run of one client. */
export interface Run extends Measured {
  readonly subject: string;
  readonly workers: number;
  readonly samples: number;
}

/** CPU seconds a sample, the client's start included. */
export const cpuOf = (run: Run): number => run.cpu / Math.max(1, run.answered);

/** Whether each sample had its answer and its verdict. */
export const isComplete = (run: Run): boolean =>
  run.code === 0 && run.answered >= run.samples && run.judged >= run.samples;

const columns = [
  'samples',
  'at a time',
  'samples/s',
  'ms CPU/sample',
  'wall s',
  'peak MiB',
  'in flight',
  'loop p99 ms',
  'answered',
];

const rowOf = (run: Run): (string | number)[] => [
  run.subject,
  run.samples,
  run.workers,
  run.rate.toFixed(1),
  (1000 * cpuOf(run)).toFixed(1),
  run.wall.toFixed(1),
  run.peakMib?.toFixed(0) ?? '',
  run.mostInFlight,
  run.loopDelayMs?.toFixed(1) ?? '',
  `${run.answered}${run.timedOut ? ' stopped' : ''}`,
];

/** Tells what was measured: lines for a reader, or with `json` figures, one a line, and the lines as notes beside them. */
export const createReport = (json: boolean) => {
  const say = (line: string): void => {
    (json ? process.stderr : process.stdout).write(`${line}\n`);
  };
  return {
    say,
    figure: (name: string, subject: string, value: number, unit: string, ratio: number | null = null): void => {
      if (json)
        process.stdout.write(`${JSON.stringify({ bench: 'evaluation', case: name, subject, value, unit, ratio })}\n`);
    },
    table: (name: string, runs: readonly Run[]): void => {
      const table = new Table({ head: [name, ...columns], style: { head: [], border: [] } });
      table.push(...runs.map(rowOf));
      say(table.toString());
    },
    /** What is to be shown, what came, and whether it holds. */
    bar: (bar: string, came: string, holds: boolean): void =>
      say(`${holds ? 'holds' : 'FALLS SHORT'}: ${bar}: ${came}`),
  };
};
export type Report = ReturnType<typeof createReport>;
