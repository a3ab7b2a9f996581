import type { PlanEntry } from '../domain/stage.ts';

const action = ({ action: what, step }: PlanEntry): string => (what === 'resume' ? `resume@${step}` : what);

/** The plan of a run for a terminal: each stage with what it would do, its GPUs, command line and outputs. */
export const planTable = (run: string, entries: readonly PlanEntry[]): string =>
  [
    `plan of ${run}`,
    ...entries.flatMap((entry) => [
      '',
      `${entry.stage}: ${action(entry)} — ${entry.why}`,
      `  GPUs     ${entry.gpus}`,
      ...(entry.command.length > 0 ? [`  command  ${entry.command.join(' ')}`] : []),
      ...entry.outputs.map((output) => `  output   ${output}`),
    ]),
    '',
  ].join('\n');
