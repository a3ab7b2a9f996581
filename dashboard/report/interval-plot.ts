import { escapeHtml } from './html.ts';
import { at, linearScale, tickLabel, ticks } from './scale.ts';

export interface Interval {
  readonly colour: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A row of the plot: one interval a model, one above the other. */
export interface IntervalRow {
  readonly label: string;
  /** Part of the row above it: its label is set dim and the row stands closer. */
  readonly inner?: boolean;
  readonly intervals: readonly Interval[];
}

export interface IntervalPlotOptions {
  readonly title: string;
  readonly from: number;
  readonly to: number;
  /** Text of a value on the axis. */
  readonly axisLabel?: (value: number) => string;
  /** Height of one interval; the height of a row is this times `lanes`. */
  readonly lanes?: number;
  /** A value that is drawn as a line through all rows, such as 0. */
  readonly mark?: number;
}

const width = 500;
const labelWidth = 118;
const lane = 8.5;
const gap = 11;

/** Values with their intervals, a dot and a whisker each, row by row over one axis. An interval off the axis is cut. */
export const intervalPlot = (rows: readonly IntervalRow[], options: IntervalPlotOptions): string => {
  const { title, from, to, axisLabel = tickLabel, mark, lanes = 1 } = options;
  const caption = `<figcaption>${escapeHtml(title)}</figcaption>`;
  if (rows.length === 0) return `<figure>${caption}<p class="dim">no values</p></figure>`;
  const x = linearScale(from, to, labelWidth, width - 22);
  const cut = (value: number): string => at(x(Math.min(to, Math.max(from, value))));
  const height = lanes * lane + gap;
  const bottom = 4 + rows.length * height;
  const grid = ticks(from, to, 5).map(
    (value) =>
      `<line class="${value === mark ? 'mark' : 'grid'}" x1="${at(x(value))}" x2="${at(x(value))}" y1="2" y2="${at(bottom)}"/>` +
      `<text x="${at(x(value))}" y="${at(bottom + 13)}" text-anchor="middle">${axisLabel(value)}</text>`,
  );
  const body = rows.map(({ label, inner, intervals }, row) => {
    const top = 4 + row * height;
    const start = top + (height - intervals.length * lane) / 2;
    const marks = intervals
      .filter(({ value }) => Number.isFinite(value))
      .map(({ colour, value, low, high }, index) => {
        const y = at(start + index * lane + lane / 2);
        return (
          `<line x1="${cut(low)}" x2="${cut(high)}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="2.4" opacity="0.5"/>` +
          `<circle cx="${cut(value)}" cy="${y}" r="3.6" fill="${colour}"/>`
        );
      });
    const rule = row === 0 || inner ? '' : `<line class="grid" x1="0" x2="${width}" y1="${at(top)}" y2="${at(top)}"/>`;
    const text = `<text class="${inner ? '' : 'strong'}" x="${inner ? 12 : 0}" y="${at(top + height / 2 + 4)}">${escapeHtml(label)}</text>`;
    return `${rule}${text}${marks.join('')}`;
  });
  return (
    `<figure>${caption}<svg viewBox="0 0 ${width} ${at(bottom + 18)}" role="img" aria-label="${escapeHtml(title)}">` +
    `${grid.join('')}${body.join('')}</svg></figure>`
  );
};
