import Table from 'cli-table3';
import type { PlanEntry } from '../domain/stage.ts';

const widths = { stage: 22, action: 14, least: 40 } as const;

/** A plan with one row a stage: what it would do, and why. `width` is that of the terminal, in columns. */
export const actionsTable = (entries: readonly PlanEntry[], width = 100): string => {
  const table = new Table({
    head: ['stage', 'action', 'why'],
    style: { head: [], border: [] },
    colWidths: [widths.stage, widths.action, Math.max(widths.least, width - widths.stage - widths.action - 4)],
    wordWrap: true,
    wrapOnWordBoundary: false,
  });
  for (const { stage, action, step, why } of entries)
    table.push([stage, action === 'resume' ? `resume@${step}` : action, why]);
  return table.toString();
};
