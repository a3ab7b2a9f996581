import { escapeHtml } from './html.ts';
import { linearScale, tickLabel, ticks } from './scale.ts';

export interface Line {
  readonly name: string;
  /** A colour of the page, such as `var(--b)`. */
  readonly colour: string;
  /** `[x, y]`; a point whose y is null or no number leaves a gap. */
  readonly points: readonly (readonly [number, number | null])[];
}

const width = 340;
const height = 190;
const margin = { left: 44, right: 8, top: 8, bottom: 24 };

const isPoint = (point: readonly [number, number | null]): point is readonly [number, number] =>
  point[1] !== null && Number.isFinite(point[1]);

const extent = (values: readonly number[]): [number, number] => {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (low === high) return [low - 0.5, high + 0.5];
  const pad = 0.04 * (high - low);
  return [low - pad, high + pad];
};

/** Mean over a window centred on each point; a curve of single noisy steps says little. */
export const smoothed = (points: Line['points'], window: number): Line['points'] =>
  points.map(([x], index) => {
    const near = points.slice(Math.max(0, index - window), index + window + 1).filter(isPoint);
    return [x, near.length === 0 ? null : near.reduce((sum, [, y]) => sum + y, 0) / near.length];
  });

/** Curves over steps as a figure of inline SVG; without any point it says so. */
export const linePlot = (title: string, lines: readonly Line[]): string => {
  const all = lines.flatMap(({ points }) => points.filter(isPoint));
  const caption = `<figcaption>${escapeHtml(title)}</figcaption>`;
  if (all.length === 0) return `<figure>${caption}<p class="dim">no values</p></figure>`;
  const [left, right] = extent(all.map(([x]) => x));
  const [low, high] = extent(all.map(([, y]) => y));
  const x = linearScale(left, right, margin.left, width - margin.right);
  const y = linearScale(low, high, height - margin.bottom, margin.top);
  const grid = ticks(low, high, 4)
    .map(
      (value) =>
        `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="var(--line)"/>` +
        `<text x="${margin.left - 5}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${tickLabel(value)}</text>`,
    )
    .join('');
  const axis = ticks(left, right, 5)
    .map(
      (value) => `<text x="${x(value).toFixed(1)}" y="${height - 7}" text-anchor="middle">${tickLabel(value)}</text>`,
    )
    .join('');
  const curves = lines
    .map(({ colour, points }) => {
      const drawn = points.filter(isPoint).map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`);
      return drawn.length === 1
        ? `<circle cx="${drawn[0]?.split(',')[0]}" cy="${drawn[0]?.split(',')[1]}" r="2.5" fill="${colour}"/>`
        : `<polyline points="${drawn.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.6" stroke-linejoin="round"/>`;
    })
    .join('');
  const legend =
    lines.length > 1
      ? `<div class="legend">${lines.map((line) => `<i style="background:${line.colour}"></i>${escapeHtml(line.name)}`).join('')}</div>`
      : '';
  return `<figure>${caption}<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">${grid}${axis}${curves}</svg>${legend}</figure>`;
};
