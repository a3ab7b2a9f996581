import { escapeHtml, section } from '../html.ts';
import { linePlot, type Point } from '../line-plot.ts';
import { fixed, grouped, percent } from '../numbers.ts';
import { modelColour } from '../palette.ts';
import type { RunReport } from '../report-input.ts';
import { wholeSlice } from '../slice-order.ts';
import { table } from '../table.ts';

const columns = [
  { head: 'checkpoint', left: true },
  { head: 'n' },
  { head: 'accuracy, %' },
  { head: '95 % interval' },
  { head: 'undecided' },
  { head: 'calls an<br>episode' },
  { head: 'episodes<br>with calls, %' },
  { head: 'calls that<br>ran, %' },
  { head: '', left: true },
];

/** The checkpoints of RL on the validation split, and which one was chosen. */
export const checkpointsSection = ({ checkpoints, promotion }: RunReport): string => {
  const found = checkpoints.flatMap(({ step, result }) => {
    const all = wholeSlice(result.slices);
    return all ? [{ step, all }] : [];
  });
  const plot = (title: string, points: readonly Point[], yLabel?: (value: number) => string): string =>
    linePlot(title, [{ name: title, colour: modelColour('rl'), points, look: 'dots' }], {
      width: 500,
      height: 190,
      ring: promotion.step,
      xTicks: found.map(({ step }) => step),
      ...(yLabel ? { yLabel } : {}),
    });
  const accuracy = found.map(({ step, all }) => ({ x: step, y: all.accuracy, low: all.low, high: all.high }));
  const calls = found.map(({ step, all }) => ({ x: step, y: all.toolCallsPerEpisode }));
  const rows = found.map(({ step, all }) => ({
    cells: [
      escapeHtml(`checkpoint-${step}`),
      grouped(all.samples),
      percent(all.accuracy),
      `<span class="dim">${percent(all.low)} – ${percent(all.high)}</span>`,
      String(all.undecided),
      fixed(all.toolCallsPerEpisode, 2),
      percent(all.toolShare),
      percent(all.executionSuccess),
      step === promotion.step ? '<strong>chosen</strong>' : '',
    ],
  }));
  return section(
    'Checkpoints of RL on validation samples',
    `<div class="pair">${plot('Accuracy, %, with 95 % interval, by RL step', accuracy, (share) => fixed(100 * share, 0))}` +
      `${plot('Tool calls an episode, by RL step', calls)}</div>${table(columns, rows)}` +
      '<p class="note">Ringed: the chosen checkpoint, the one with the highest accuracy; of equals the one with fewer ' +
      'calls, then the later.</p>',
  );
};
