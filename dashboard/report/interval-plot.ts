import { escapeHtml } from './html.ts';
import { linearScale } from './scale.ts';

export interface Interval {
  readonly colour: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A row of the plot: one interval a model, one above the other. */
export interface IntervalRow {
  readonly label: string;
  readonly intervals: readonly Interval[];
}

const width = 1000;
const labelWidth = 170;
const rowGap = 12;
const lane = 11;

/** Shares with their intervals, a dot and a whisker each, on an axis from 0 to 100 per cent. */
export const intervalPlot = (rows: readonly IntervalRow[]): string => {
  const x = linearScale(0, 1, labelWidth, width - 20);
  let top = 8;
  const body = rows
    .map(({ label, intervals }) => {
      const start = top;
      top += intervals.length * lane + rowGap;
      const marks = intervals
        .map(({ colour, value, low, high }, index) => {
          const y = start + index * lane + lane / 2;
          return (
            `<line x1="${x(low).toFixed(1)}" x2="${x(high).toFixed(1)}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="2.5" opacity="0.55"/>` +
            `<circle cx="${x(value).toFixed(1)}" cy="${y}" r="4" fill="${colour}"/>`
          );
        })
        .join('');
      const middle = start + (intervals.length * lane) / 2 + 4;
      return `<text x="${labelWidth - 12}" y="${middle}" text-anchor="end" style="font-size:13px">${escapeHtml(label)}</text>${marks}`;
    })
    .join('');
  const grid = [0, 0.2, 0.4, 0.6, 0.8, 1]
    .map(
      (share) =>
        `<line x1="${x(share)}" x2="${x(share)}" y1="4" y2="${top}" stroke="var(--line)"/>` +
        `<text x="${x(share)}" y="${top + 15}" text-anchor="middle" style="font-size:12px">${100 * share} %</text>`,
    )
    .join('');
  return `<svg viewBox="0 0 ${width} ${top + 22}" role="img" aria-label="accuracy by slice">${grid}${body}</svg>`;
};
