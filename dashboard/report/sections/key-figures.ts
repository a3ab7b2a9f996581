import { key } from '../html.ts';
import { duration, fixed, percent, pValue, signed } from '../numbers.ts';
import { modelColour, modelTitle } from '../palette.ts';
import type { RunReport } from '../report-input.ts';
import { wholeSlice } from '../slice-order.ts';

const tile = (name: string, value: string, note: string): string =>
  `<div class="tile"><span>${name}</span><b>${value}</b><small>${note}</small></div>`;

/** Seconds from the first stage's beginning to the writing of the report. */
export const totalSeconds = ({ stages, writtenAt }: Pick<RunReport, 'stages' | 'writtenAt'>): number => {
  const begun = stages.flatMap(({ startedAt }) => (startedAt === null ? [] : [startedAt]));
  return begun.length === 0 ? 0 : Math.max(0, (Date.parse(writtenAt) - Math.min(...begun)) / 1000);
};

/** The figures that a reader looks for first. */
export const keyFigures = (report: RunReport): string => {
  const models = report.benchmark.flatMap(({ model, slices }) => {
    const all = wholeSlice(slices);
    return all ? [{ model, all }] : [];
  });
  const accuracy = models.map(({ model, all }) =>
    tile(
      `${key(modelColour(model))}${modelTitle(model)}, test accuracy`,
      `${percent(all.accuracy)} %`,
      `95 % interval ${percent(all.low)} to ${percent(all.high)}`,
    ),
  );
  const row = (figure: (all: (typeof models)[number]['all']) => string): string =>
    models.map(({ all }) => figure(all)).join(' → ');
  const of = models.map(({ model }) => modelTitle(model)).join(' → ');
  const samples = models[0]?.all.samples ?? 0;
  const gain = report.comparison?.accuracy;
  return `<div class="tiles">${[
    ...accuracy,
    ...(gain
      ? [
          tile(
            'Gain of RL over SFT',
            `${signed(100 * gain.difference, 1)} points`,
            `${signed(100 * gain.low, 1)} to ${signed(100 * gain.high, 1)}, p ${gain.p < 0.001 ? '' : '= '}${pValue(gain.p)}`,
          ),
        ]
      : []),
    tile(
      'Tool calls an episode',
      row((all) => fixed(all.toolCallsPerEpisode, 2)),
      of,
    ),
    tile(
      'Execution success, %',
      row((all) => percent(all.executionSuccess)),
      `of the calls; ${of}`,
    ),
    tile(
      'Undecided',
      row((all) => String(all.undecided)),
      `of ${samples} samples; ${of}`,
    ),
    tile('Total time', duration(totalSeconds(report)), 'from the first stage to this report'),
  ].join('')}</div>`;
};
