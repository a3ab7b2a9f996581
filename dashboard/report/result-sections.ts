import type { EvaluationResult, Slice } from '../../domain/evaluation.ts';
import { escapeHtml, percent, section, table, withInterval } from './html.ts';
import { intervalPlot } from './interval-plot.ts';
import type { RunReport } from './report-input.ts';

const colours: Readonly<Record<string, string>> = { base: 'var(--a)', sft: 'var(--b)', rl: 'var(--c)' };
export const colourOf = (model: string): string => colours[model] ?? 'var(--d)';

export const nameOf = ({ family, transform }: Pick<Slice, 'family' | 'transform'>): string =>
  transform === 'all' ? (family === 'all' ? 'all samples' : family) : `${family}, ${transform.replace('_', ' ')}`;

export const overall = (result: EvaluationResult): Slice | undefined =>
  result.slices.find(({ family, transform }) => family === 'all' && transform === 'all');

/** A family with one transform says the same twice: only the family is shown. */
export const shownSlices = ({ slices }: Pick<EvaluationResult, 'slices'>): Slice[] =>
  slices.filter(
    (slice) =>
      slice.transform === 'all' ||
      slices.filter(({ family, transform }) => family === slice.family && transform !== 'all').length > 1,
  );

const sliceOf = (result: EvaluationResult, { family, transform }: Slice): Slice | undefined =>
  result.slices.find((slice) => slice.family === family && slice.transform === transform);

const legend = (models: readonly string[]): string =>
  `<div class="legend">${models.map((model) => `<i style="background:${colourOf(model)}"></i>${escapeHtml(model)}`).join('')}</div>`;

/** Accuracy by slice: the plot, and every figure behind it. */
export const benchmarkSection = ({ benchmark }: RunReport): string => {
  const [first] = benchmark;
  if (!first) return '';
  const slices = shownSlices(first);
  const rows = slices.map((slice) => ({
    label: nameOf(slice),
    intervals: benchmark.flatMap((result) => {
      const found = sliceOf(result, slice);
      return found ? [{ colour: colourOf(result.model), value: found.accuracy, low: found.low, high: found.high }] : [];
    }),
  }));
  const body = slices.flatMap((slice) =>
    benchmark.flatMap((result, index) => {
      const found = sliceOf(result, slice);
      if (!found) return [];
      return [
        [
          index === 0 ? escapeHtml(nameOf(slice)) : '',
          escapeHtml(result.model),
          String(found.samples),
          withInterval(found.accuracy, found.low, found.high),
          percent(found.accuracyIfUndecidedRight),
          String(found.undecided),
          found.toolCallsPerEpisode.toFixed(2),
          percent(found.toolShare),
          percent(found.executionSuccess),
        ],
      ];
    }),
  );
  return section(
    'Benchmark suite: held-out test split',
    `<p class="dim">Accuracy with its Wilson 95 % interval. Every sample is in the denominator; an answer without a verdict counts as not right, and the column beside shows the accuracy if all of those were right. With calls: share of episodes with at least one; ran: share of calls that ran.</p>` +
      legend(benchmark.map(({ model }) => model)) +
      intervalPlot(rows) +
      table(
        [
          'slice',
          'model',
          'n',
          'accuracy %',
          'if undecided right',
          'undecided',
          'calls / episode',
          'with calls %',
          'ran %',
        ],
        body,
        { left: [0, 1] },
      ),
  );
};

const signed = (value: number, digits: number): string => `${value > 0 ? '+' : ''}${value.toFixed(digits)}`;

/** SFT against RL on the same samples. */
export const comparisonSection = ({ comparison, benchmark }: RunReport): string => {
  const shown = new Set(shownSlices(benchmark[0] ?? { slices: [] }).map(nameOf));
  const rows = comparison.slices
    .filter((slice) => shown.has(nameOf(slice)))
    .map((slice) => [
      escapeHtml(nameOf(slice)),
      String(slice.samples),
      `${signed(100 * slice.accuracy.difference, 1)} <span class="dim">[${signed(100 * slice.accuracy.low, 1)}, ${signed(100 * slice.accuracy.high, 1)}]</span>`,
      slice.accuracy.p < 0.001 ? '&lt; 0.001' : slice.accuracy.p.toFixed(3),
      `${slice.onlySecond} / ${slice.onlyFirst}`,
      `${signed(slice.toolCalls.difference, 2)} <span class="dim">[${signed(slice.toolCalls.low, 2)}, ${signed(slice.toolCalls.high, 2)}]</span>`,
    ]);
  return section(
    'RL against SFT, sample by sample',
    `<p class="dim">Differences are RL minus SFT with their 95 % intervals: of accuracies by Newcombe's paired method, of tool calls by bootstrap over samples. p is McNemar's, exact. No slice is corrected for how many there are.</p>` +
      table(['slice', 'n', 'accuracy, points', 'p', 'only RL right / only SFT right', 'tool calls an episode'], rows),
  );
};

/** Validation accuracy of the checkpoints over the steps of RL. */
export const checkpointSection = ({ checkpoints, promotion }: RunReport): string => {
  const rows = checkpoints.map(({ step, result }) => {
    const all = overall(result);
    return [
      `checkpoint-${step}${step === promotion.step ? ' <span class="badge promoted">chosen</span>' : ''}`,
      String(all?.samples ?? 0),
      all ? withInterval(all.accuracy, all.low, all.high) : '–',
      all?.toolCallsPerEpisode.toFixed(2) ?? '–',
      percent(all?.executionSuccess ?? null),
      String(all?.undecided ?? 0),
      result.seconds.toFixed(1),
    ];
  });
  return section(
    'Checkpoints on the validation split',
    table(['checkpoint', 'n', 'accuracy %', 'calls / episode', 'calls that ran %', 'undecided', 'seconds'], rows),
  );
};
