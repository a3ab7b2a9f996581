import Table from 'cli-table3';
import type { AuditConfusion, AuditMeasure, JudgeAudit } from '../domain/judge.ts';

const shownDisagreements = 20;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const newTable = (head: string[]) => new Table({ head, style: { head: [], border: [] }, wordWrap: true });

const what: Readonly<Record<AuditMeasure['name'], string>> = {
  agreement: 'all pairs',
  sensitivity: 'right answers that it accepts',
  specificity: 'wrong answers that it refuses',
  adversarial: 'pairs that try a trick on it',
  'held-out': 'pairs that no prompt was written with',
};

const measures = (audit: JudgeAudit): string => {
  const table = newTable(['measure', 'of', 'agreed', 'share', 'Wilson 95 %', 'required', '']);
  for (const { name, agreed, pairs, share, low, high, required, passed } of audit.measures)
    table.push([
      name,
      what[name],
      `${agreed} of ${pairs}`,
      percent(share),
      `${percent(low)} to ${percent(high)}`,
      `from ${percent(required)}`,
      passed ? 'passed' : 'failed',
    ]);
  return table.toString();
};

const splits = ({ splits: found }: JudgeAudit): string => {
  const table = newTable(['pairs', 'measure', 'agreed', 'share', 'Wilson 95 %']);
  for (const { split, measures: shares } of found)
    for (const { name, agreed, pairs, share, low, high } of shares)
      table.push([split, name, `${agreed} of ${pairs}`, percent(share), `${percent(low)} to ${percent(high)}`]);
  return table.toString();
};

const confusions = ({ confusion }: JudgeAudit): string => {
  const said = ['correct', 'wrong', 'cannot tell', 'no verdict'] as const satisfies readonly (keyof AuditConfusion)[];
  const table = newTable(['label', ...said.map((name) => `said: ${name}`)]);
  for (const label of ['correct', 'wrong'] as const)
    table.push([label, ...said.map((name) => String(confusion[label][name]))]);
  return table.toString();
};

const disagreements = ({ disagreements: found }: JudgeAudit): string[] => [
  ...found
    .slice(0, shownDisagreements)
    .map(({ id, label, said, reason }) => `  ${id}: ${label}, it said ${said}: ${reason.replaceAll(/\s+/g, ' ')}`),
  ...(found.length > shownDisagreements ? [`  and ${found.length - shownDisagreements} more, in the file`] : []),
];

/** An audit for people: measures with their intervals, confusions, and where the judge disagrees. */
export const auditTable = (audit: JudgeAudit): string =>
  [
    `${audit.judge}, ${audit.prompts}: ${audit.asked} of ${audit.pairs} pairs`,
    measures(audit),
    ...(audit.splits.length > 1 ? [splits(audit)] : []),
    confusions(audit),
    ...(audit.disagreements.length > 0 ? ['disagreements:', ...disagreements(audit)] : []),
    audit.passed ? 'The judge passed: it may decide.' : 'The judge failed: it decides nothing unless it is forced to.',
  ].join('\n');
