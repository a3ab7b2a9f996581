import { escapeHtml, legend } from './html.ts';
import { at, extent, linearScale, tickLabel, ticks } from './scale.ts';

/** A point of a curve; without a number as `y` it leaves a gap. `low` and `high` draw a whisker. */
export interface Point {
  readonly x: number;
  readonly y: number | null;
  readonly low?: number;
  readonly high?: number;
}

export interface Line {
  readonly name: string;
  /** A colour of the page, such as `var(--b)`. */
  readonly colour: string;
  readonly points: readonly Point[];
  /** `faint` is for the single steps behind a mean, `dots` marks every point. */
  readonly look?: 'faint' | 'dots';
}

export interface LinePlotOptions {
  /** Text beside the title, such as the last value. */
  readonly aside?: string;
  readonly width?: number;
  readonly height?: number;
  /** Values that the axis must hold, such as 0. */
  readonly include?: readonly number[];
  readonly yLabel?: (value: number) => string;
  /** Where the horizontal axis is labelled; round numbers without it. */
  readonly xTicks?: readonly number[];
  /** The point at this x is ringed: the one that was chosen. */
  readonly ring?: number;
}

const margin = { right: 8, top: 6, bottom: 20 };
const characterWidth = 6.2;
/** Characters for which there is always room at the left, so that figures beside each other have the same axis. */
const leastLabel = 5;

type Drawn = Point & { readonly y: number };

const isDrawn = (point: Point): point is Drawn => point.y !== null && Number.isFinite(point.y);

/** The unbroken pieces of a curve. */
const pieces = (points: readonly Point[]): Drawn[][] => {
  const found: Drawn[][] = [[]];
  for (const point of points) {
    if (isDrawn(point)) found.at(-1)?.push(point);
    else found.push([]);
  }
  return found.filter((piece) => piece.length > 0);
};

/** Curves over steps as a figure of inline SVG; without any point it says so. */
export const linePlot = (title: string, lines: readonly Line[], options: LinePlotOptions = {}): string => {
  const { aside, width = 260, height = 132, include = [], yLabel = tickLabel, ring, xTicks } = options;
  const points = lines.flatMap((line) => line.points.filter(isDrawn));
  const caption = `<figcaption>${escapeHtml(title)}${aside ? `<span class="dim">${escapeHtml(aside)}</span>` : ''}</figcaption>`;
  const across = extent(
    points.map(({ x }) => x),
    0.02,
  );
  const up = extent([...points.flatMap(({ y, low = y, high = y }) => [y, low, high]), ...include]);
  if (!across || !up || points.length === 0) return `<figure>${caption}<p class="dim">no values</p></figure>`;

  const rows = ticks(...up, 5).map((value) => ({ value, label: yLabel(value) }));
  const left = Math.ceil(6 + characterWidth * Math.max(leastLabel, ...rows.map(({ label }) => label.length)));
  const x = linearScale(...across, left, width - margin.right);
  const y = linearScale(...up, height - margin.bottom, margin.top);
  const grid = rows.map(
    ({ value, label }) =>
      `<line class="grid" x1="${left}" x2="${width - margin.right}" y1="${at(y(value))}" y2="${at(y(value))}"/>` +
      `<text x="${left - 5}" y="${at(y(value) + 3.5)}" text-anchor="end">${label}</text>`,
  );
  const labelSpace = characterWidth * tickLabel(Math.round(across[1])).length + 14;
  const roundSteps = ticks(...across, Math.max(1, Math.floor((width - left) / labelSpace)));
  const steps = (xTicks ?? roundSteps)
    .filter(Number.isInteger)
    .map((value) => `<text x="${at(x(value))}" y="${height - 5}" text-anchor="middle">${tickLabel(value)}</text>`);

  const dot = (point: Drawn, colour: string): string =>
    `<circle cx="${at(x(point.x))}" cy="${at(y(point.y))}" r="3" fill="${colour}"/>`;
  const curves = lines.map(({ colour, points: all, look }) => {
    const drawn = pieces(all).map((piece) =>
      piece.length === 1
        ? piece.map((point) => dot(point, colour)).join('')
        : `<polyline points="${piece.map((point) => `${at(x(point.x))},${at(y(point.y))}`).join(' ')}" fill="none" stroke="${colour}" ` +
          `stroke-width="${look === 'faint' ? 1 : 1.7}" stroke-linejoin="round"${look === 'faint' ? ' opacity="0.32"' : ''}/>`,
    );
    const whiskers = all
      .filter(isDrawn)
      .flatMap(({ x: step, low, high }) =>
        low === undefined || high === undefined
          ? []
          : [
              `<line x1="${at(x(step))}" x2="${at(x(step))}" y1="${at(y(low))}" y2="${at(y(high))}" stroke="${colour}" stroke-width="2" opacity="0.45"/>`,
            ],
      );
    const dots = look === 'dots' ? all.filter(isDrawn).map((point) => dot(point, colour)) : [];
    const rings = all
      .filter(isDrawn)
      .filter((point) => point.x === ring)
      .map(
        (point) =>
          `<circle cx="${at(x(point.x))}" cy="${at(y(point.y))}" r="6.5" fill="none" stroke="var(--ink)" stroke-width="1.5"/>`,
      );
    return [...whiskers, ...drawn, ...dots, ...rings].join('');
  });
  const named = lines.filter(({ look }) => look !== 'faint');
  return (
    `<figure>${caption}<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">` +
    `${grid.join('')}${steps.join('')}${curves.join('')}</svg>${named.length > 1 ? legend(named) : ''}</figure>`
  );
};
