import { type MetricsLine, rlMetricsSchema } from '../../../domain/progress.ts';
import { escapeHtml, section } from '../html.ts';
import { type Line, linePlot, type Point } from '../line-plot.ts';
import { seriesColours } from '../palette.ts';
import type { RunReport } from '../report-input.ts';
import { tickLabel } from '../scale.ts';
import { wholeSlice } from '../slice-order.ts';
import { smooth } from '../smooth.ts';

const secondsParts = Object.keys(
  rlMetricsSchema.shape.seconds.shape,
) as (keyof typeof rlMetricsSchema.shape.seconds.shape)[];

/** Points away that are averaged: about a twentieth of the curve to each side. */
const reachOf = (points: readonly Point[]): number => Math.round(points.length / 20);

const last = (points: readonly Point[]): string => {
  const value = points.findLast(({ y }) => y !== null && Number.isFinite(y))?.y;
  return value === undefined || value === null ? '' : tickLabel(Number(value.toPrecision(3)));
};

const movingMean = (points: readonly Point[]): Point[] => smooth(points, reachOf(points));

/** Single steps, faint, and their moving mean over them. */
const curveLines = (name: string, points: readonly Point[], colour: string): Line[] => [
  { name, colour, points, look: 'faint' },
  { name, colour, points: movingMean(points) },
];

const lastMean = (points: readonly Point[]): string => last(movingMean(points));

const curve = (title: string, points: readonly Point[], colour = 'var(--c)'): string =>
  linePlot(title, curveLines(title, points, colour), { aside: lastMean(points) });

const numberOf = (line: MetricsLine, name: string): number | null => {
  const value = line[name];
  return typeof value === 'number' ? value : null;
};

const source = (file: string, unreadable: number): string =>
  `<code>${escapeHtml(file)}</code>${unreadable === 0 ? '' : ` (lines that could not be read: ${unreadable})`}`;

/** RL by its steps: small figures, all over the same axis. */
export const rlCurvesSection = ({ rlMetrics, checkpoints }: RunReport): string => {
  const { lines, file, unreadable } = rlMetrics;
  const of = (value: (line: (typeof lines)[number]) => number | null): Point[] =>
    lines.map((line) => ({ x: line.step, y: value(line) }));
  const terms = [...new Set(lines.flatMap((line) => Object.keys(line.terms)))].sort();
  const seconds: Line[] = secondsParts.map((part, index) => {
    const points = of((line) => line.seconds[part]);
    return { name: part, colour: seriesColours[index] ?? 'var(--ink)', points: movingMean(points) };
  });
  const total = of((line) => secondsParts.reduce((sum, part) => sum + line.seconds[part], 0));
  const rates = of((line) => line.learningRate);
  const masked = of((line) => line.masked);
  const judged = of((line) => line.judged);
  const told = [...masked, ...judged].some(({ y }) => y !== null && y > 0);
  const validation: Line = {
    name: 'validation, greedy',
    colour: 'var(--b)',
    look: 'dots',
    points: checkpoints.map(({ step, result }) => ({ x: step, y: wholeSlice(result.slices)?.accuracy ?? null })),
  };
  const figures = [
    curve(
      'Reward',
      of((line) => line.reward),
    ),
    ...terms.map((term) =>
      curve(
        `Term: ${term}`,
        of((line) => line.terms[term] ?? null),
        'var(--d)',
      ),
    ),
    linePlot(
      'Accuracy',
      [
        ...curveLines(
          'sampled',
          of((line) => line.accuracy),
          'var(--c)',
        ),
        validation,
      ],
      {
        aside: lastMean(of((line) => line.accuracy)),
      },
    ),
    curve(
      'Tool calls an episode',
      of((line) => line.toolCallsPerEpisode),
    ),
    curve(
      'Execution success',
      of((line) => line.executionSuccess),
    ),
    curve(
      'Tokens an episode',
      of((line) => line.length),
    ),
    curve(
      'KL, nats a token',
      of((line) => line.kl),
      'var(--e)',
    ),
    curve(
      'Loss',
      of((line) => line.loss),
      'var(--e)',
    ),
    curve(
      'Gradient norm',
      of((line) => line.gradNorm),
      'var(--e)',
    ),
    linePlot('Learning rate', [{ name: 'learning rate', colour: 'var(--e)', points: rates }], { aside: last(rates) }),
    ...(told
      ? [
          linePlot(
            'Episodes a step that the judge decided, and masked ones',
            [
              { name: 'judged', colour: 'var(--d)', points: movingMean(judged) },
              { name: 'masked', colour: 'var(--e)', points: movingMean(masked) },
            ],
            { include: [0], aside: `${lastMean(masked)} masked` },
          ),
        ]
      : []),
    linePlot('Seconds a step', seconds, { include: [0], aside: `${lastMean(total)} in all` }),
  ];
  return section(
    'RL, step by step',
    `<div class="plots">${figures.join('\n')}</div><p class="note">Faint: single steps, means over a step’s episodes; ` +
      `bold: their moving mean, whose last value stands at the title. From ${source(file, unreadable)}.</p>`,
  );
};

/** Loss and what else the supervised stages log. */
export const supervisedCurvesSection = ({ losses }: RunReport): string => {
  const present = losses.filter(({ lines }) => lines.length > 0);
  if (present.length === 0) return '';
  const figures = present.flatMap(({ stage, lines }) => {
    const of = (name: string): Point[] => lines.map((line) => ({ x: line.step, y: numberOf(line, name) }));
    return [
      curve(`${stage}: loss`, of('loss'), 'var(--b)'),
      curve(`${stage}: token accuracy`, of('tokenAccuracy'), 'var(--b)'),
    ];
  });
  const files = present.map(({ file, unreadable }) => source(file, unreadable)).join(', ');
  return section(
    'Supervised stages, step by step',
    `<div class="plots">${figures.join('\n')}</div><p class="note">From ${files}.</p>`,
  );
};
