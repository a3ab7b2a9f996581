import { totalHours, type UsageHours, type UsageLedger, usageCategories } from '../../../domain/gpu-hours.ts';
import type { UsageUnit } from '../../../domain/gpu-hours-facts.ts';
import { escapeHtml, section } from '../html.ts';
import { duration, fixed, percent } from '../numbers.ts';
import type { RunReport } from '../report-input.ts';
import { type Row, table } from '../table.ts';

const columns = [
  { head: 'stage', left: true },
  { head: 'attempt' },
  { head: 'holds' },
  { head: 'ended', left: true },
  ...usageCategories.map((head) => ({ head })),
  { head: 'total' },
];

const unitName = (unit: UsageUnit): string => (unit === 'gpu' ? 'GPU hours' : 'slot hours');

const cell = (hours: number): string => (hours === 0 ? '–' : duration(3600 * hours));

const cells = (of: UsageHours, total: number): string[] => [
  ...usageCategories.map((name) => cell(of[name])),
  cell(total),
];

const held = (unit: UsageUnit, count: number): string =>
  `${count} ${unit === 'gpu' ? 'GPU' : 'slot'}${count === 1 ? '' : 's'}`;

const rowsOf = ({ entries, idleLeases, totals }: UsageLedger): Row[] => [
  ...entries.map(({ stage, attempt, unit, count, ending, hours }) => ({
    cells: [
      escapeHtml(stage),
      String(attempt),
      held(unit, count),
      escapeHtml(ending),
      ...cells(hours, totalHours(hours)),
    ],
  })),
  ...idleLeases.map(({ unit, hours }) => ({
    cells: [
      'leased, not used',
      '',
      unit === 'gpu' ? 'GPUs' : 'slots',
      '',
      '–',
      '–',
      '–',
      '–',
      cell(hours),
      cell(hours),
    ],
  })),
  ...totals.map((total) => ({
    cells: [`<strong>${unitName(total.unit)}</strong>`, '', '', '', ...cells(total, total.total)],
    className: 'group',
  })),
];

const budgetNote = ({ budget }: UsageLedger): string =>
  budget
    ? ` Budget: ${fixed(budget.used, 2)} of ${fixed(budget.limit, 2)} ${unitName(budget.unit)}, ` +
      `${percent(budget.used / budget.limit)} %${budget.stoppedAt === null ? '' : '; a stage was stopped for it'}.`
    : '';

/** What each attempt of a program held, times how long, by what came of it. */
export const hoursSection = ({ usage }: RunReport): string => {
  if (usage.entries.length === 0) return '';
  const slots = usage.totals.some(({ unit }) => unit === 'cpu-slot');
  return section(
    usage.totals.some(({ unit }) => unit === 'gpu') ? 'GPU hours' : 'Hours of processor slots',
    `${table(columns, rowsOf(usage))}<p class="note">Each time is multiplied by the GPUs${slots ? ' or processor slots' : ''} ` +
      'that were held. Wasted: work after the checkpoint from which the next attempt went on. Idle: a server that nobody ' +
      `asked, or a lease that no program used.${budgetNote(usage)}</p>`,
  );
};
