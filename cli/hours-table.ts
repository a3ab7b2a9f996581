import Table from 'cli-table3';
import { totalHours, type UsageCategory, type UsageLedger, usageCategories } from '../domain/gpu-hours.ts';
import type { UsageUnit } from '../domain/gpu-hours-facts.ts';

/** What an hour of a unit is called. */
export const unitNames: Readonly<Record<UsageUnit, string>> = {
  gpu: 'GPU hours',
  'cpu-slot': 'slot hours (processor slots: no GPU was used)',
};

const number = (value: number): string => (value === 0 ? '–' : value.toFixed(value < 0.1 ? 4 : 2));

const cells = (of: Readonly<Record<UsageCategory, number>>, total: number): string[] => [
  ...usageCategories.map((name) => number(of[name])),
  number(total),
];

const heldText = (unit: UsageUnit, count: number): string =>
  `${count} ${unit === 'gpu' ? 'GPU' : 'slot'}${count === 1 ? '' : 's'}`;

const budgetLines = ({ budget }: UsageLedger): string[] => {
  if (!budget) return ['no budget is set (limits.gpuHours)'];
  const share = `${((100 * budget.used) / budget.limit).toFixed(1)} %`;
  const note = budget.stoppedAt ? '; a stage was stopped for it' : budget.warnedAt ? '; a warning was given' : '';
  return [`${number(budget.used)} of limits.gpuHours = ${budget.limit} are used, ${share}${note}`];
};

/** Where the hours of a run went, attempt by attempt, for a terminal. */
export const hoursTable = (ledger: UsageLedger): string => {
  const { entries, idleLeases, totals } = ledger;
  if (entries.length === 0 && idleLeases.length === 0) return 'nothing was used: no program of this run was started';
  const table = new Table({
    head: ['stage', 'attempt', 'holds', 'ended', ...usageCategories, 'total'],
    style: { head: [], border: [] },
  });
  for (const { stage, attempt, unit, count, ending, hours } of entries)
    table.push([stage, String(attempt), heldText(unit, count), ending, ...cells(hours, totalHours(hours))]);
  for (const { unit, hours } of idleLeases)
    table.push([`leased, not used (${unit})`, '–', '–', '–', '–', '–', '–', '–', number(hours), number(hours)]);
  for (const total of totals)
    table.push(['total', '–', unitNames[total.unit].split(' (')[0] ?? '', '–', ...cells(total, total.total)]);
  const units = totals.map(({ unit }) => `${unit}: ${unitNames[unit]}`);
  return [table.toString(), ...units, ...budgetLines(ledger)].join('\n');
};
