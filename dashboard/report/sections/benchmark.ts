import type { EvaluationResult } from '../../../domain/evaluation.ts';
import { escapeHtml, key, legend, section } from '../html.ts';
import { intervalPlot } from '../interval-plot.ts';
import { fixed, grouped, percent, signed } from '../numbers.ts';
import { modelColour, modelTitle } from '../palette.ts';
import type { RunReport } from '../report-input.ts';
import { slicesInOrder } from '../slice-order.ts';
import { type Row, table } from '../table.ts';

const sameSlice = (a: { family: string; transform: string }, b: { family: string; transform: string }): boolean =>
  a.family === b.family && a.transform === b.transform;

const accuracyPlot = (benchmark: readonly EvaluationResult[]): string =>
  intervalPlot(
    slicesInOrder(benchmark[0]?.slices ?? []).map(({ label, inner, slice }) => ({
      label,
      inner,
      intervals: benchmark.flatMap(({ model, slices }) => {
        const found = slices.find((other) => sameSlice(other, slice));
        return found ? [{ colour: modelColour(model), value: found.accuracy, low: found.low, high: found.high }] : [];
      }),
    })),
    {
      title: 'Accuracy, %, with 95 % interval',
      from: 0,
      to: 1,
      lanes: Math.max(1, benchmark.length),
      axisLabel: (share) => fixed(100 * share, 0),
    },
  );

const differencePlot = ({ benchmark, comparison }: RunReport): string => {
  if (!comparison) return '';
  const order = slicesInOrder(comparison.slices);
  const reach = Math.max(
    0.1,
    ...order.flatMap(({ slice }) => [Math.abs(slice.accuracy.low), Math.abs(slice.accuracy.high)]),
  );
  const end = Math.min(1, Math.ceil(reach * 10) / 10);
  return intervalPlot(
    order.map(({ label, inner, slice: { accuracy } }) => ({
      label,
      inner,
      intervals: [{ colour: modelColour('rl'), value: accuracy.difference, low: accuracy.low, high: accuracy.high }],
    })),
    {
      title: 'Gain of RL over SFT, points, on the same samples',
      from: -end,
      to: end,
      lanes: Math.max(1, benchmark.length),
      mark: 0,
      axisLabel: (share) => signed(100 * share, 0),
    },
  );
};

const rowsOf = (benchmark: readonly EvaluationResult[]): Row[] =>
  slicesInOrder(benchmark[0]?.slices ?? []).flatMap(({ label, inner, slice }) =>
    benchmark.flatMap(({ model, slices }, index): Row[] => {
      const found = slices.find((other) => sameSlice(other, slice));
      if (!found) return [];
      return [
        {
          ...(index === 0 ? { className: 'group' } : {}),
          cells: [
            index === 0 ? `<span class="${inner ? 'inner' : 'whole'}">${escapeHtml(label)}</span>` : '',
            `${key(modelColour(model))}${escapeHtml(modelTitle(model))}`,
            grouped(found.samples),
            percent(found.accuracy),
            `<span class="dim">${percent(found.low)} – ${percent(found.high)}</span>`,
            percent(found.accuracyIfUndecidedRight),
            String(found.undecided),
            fixed(found.toolCallsPerEpisode, 2),
            percent(found.toolShare),
            percent(found.executionSuccess),
          ],
        },
      ];
    }),
  );

const columns = [
  { head: 'slice', left: true },
  { head: 'model', left: true },
  { head: 'n' },
  { head: 'accuracy, %' },
  { head: '95 % interval' },
  { head: 'if undecided<br>were right' },
  { head: 'undecided' },
  { head: 'calls an<br>episode' },
  { head: 'episodes<br>with calls, %' },
  { head: 'calls that<br>ran, %' },
];

/** Base, SFT and RL on the test split, by slice. */
export const benchmarkSection = (report: RunReport): string => {
  const { benchmark } = report;
  const models = benchmark.map(({ model, checkpoint }) => ({
    name: checkpoint === 'model' ? modelTitle(model) : `${modelTitle(model)}, ${checkpoint}`,
    colour: modelColour(model),
  }));
  const samples = benchmark[0]?.slices[0]?.samples ?? 0;
  return section(
    'Benchmark on held-out test samples',
    `${legend(models)}<div class="pair">${accuracyPlot(benchmark)}${differencePlot(report)}</div>` +
      `<p class="note">${grouped(samples)} samples; every sample is in the denominator, and an undecided one is not right. ` +
      'Accuracy in per cent with its Wilson interval; the differences are paired (Newcombe).</p>' +
      table(columns, rowsOf(benchmark)),
  );
};
