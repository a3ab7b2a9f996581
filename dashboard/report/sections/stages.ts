import { escapeHtml, section } from '../html.ts';
import { duration } from '../numbers.ts';
import type { RunReport } from '../report-input.ts';
import { at, linearScale } from '../scale.ts';
import { table } from '../table.ts';
import { totalSeconds } from './key-figures.ts';

const columns = [
  { head: 'stage', left: true },
  { head: 'state', left: true },
  { head: 'attempts' },
  { head: 'time' },
  { head: 'when', left: true },
  { head: 'note', left: true },
];

const barWidth = 220;
/** Pixels: a stage of milliseconds is seen as well. */
const leastBar = 1.5;

/** The stages of the run on one axis of time; stages that overlap ran side by side. */
export const stagesSection = (report: RunReport): string => {
  const end = Date.parse(report.writtenAt);
  const x = linearScale(end - 1000 * totalSeconds(report), end, 0, barWidth);
  const rows = report.stages.map(({ name, state, attempts, startedAt, endedAt, note }) => {
    const running = name === 'report' && state === 'running';
    const until = endedAt ?? end;
    const bar =
      startedAt === null
        ? ''
        : `<svg class="bar" viewBox="0 0 ${barWidth} 10" role="img" aria-label="when"><rect x="0" y="4.5" width="${barWidth}" height="1" fill="var(--line)"/>` +
          `<rect x="${at(Math.min(barWidth - leastBar, x(startedAt)))}" y="0" width="${at(Math.max(leastBar, x(until) - x(startedAt)))}" height="10" rx="1.5" fill="var(--b)"/></svg>`;
    return {
      cells: [
        escapeHtml(name),
        running ? 'writes this page' : escapeHtml(state),
        attempts === 0 ? '–' : String(attempts),
        startedAt === null || running ? '–' : duration(Math.max(0, (until - startedAt) / 1000)),
        bar,
        escapeHtml(note),
      ],
    };
  });
  return section('Stages', table(columns, rows));
};
