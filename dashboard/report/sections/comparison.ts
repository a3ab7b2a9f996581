import type { SliceComparison } from '../../../evaluation/compare.ts';
import { escapeHtml, section } from '../html.ts';
import { grouped, pValue, signed } from '../numbers.ts';
import type { RunReport } from '../report-input.ts';
import { slicesInOrder } from '../slice-order.ts';
import { table } from '../table.ts';

const columns = [
  { head: 'slice', left: true },
  { head: 'n' },
  { head: 'only SFT<br>right' },
  { head: 'only RL<br>right' },
  { head: 'accuracy,<br>points' },
  { head: '95 % interval' },
  { head: 'p' },
  { head: 'tool calls<br>an episode' },
  { head: '95 % interval' },
];

/** A difference whose interval excludes 0 is set in bold. */
const figure = ({ difference, low, high }: SliceComparison['toolCalls'], scale: number, places: number): string[] => {
  const text = signed(scale * difference, places);
  return [
    low > 0 || high < 0 ? `<b>${text}</b>` : text,
    `<span class="dim">${signed(scale * low, places)} to ${signed(scale * high, places)}</span>`,
  ];
};

/** What RL changed against SFT, sample by sample. */
export const comparisonSection = ({ comparison }: RunReport): string => {
  if (!comparison) return '';
  const rows = slicesInOrder(comparison.slices).map(({ label, inner, slice }) => ({
    cells: [
      `<span class="${inner ? 'inner' : 'whole'}">${escapeHtml(label)}</span>`,
      grouped(slice.samples),
      String(slice.onlyFirst),
      String(slice.onlySecond),
      ...figure(slice.accuracy, 100, 1),
      pValue(slice.accuracy.p),
      ...figure(slice.toolCalls, 1, 2),
    ],
  }));
  return section(
    'RL against SFT, sample by sample',
    `${table(columns, rows)}<p class="note">RL minus SFT over the same samples; bold where the interval excludes 0. ` +
      'Accuracy: Newcombe’s paired interval, p of McNemar’s exact test, not corrected for the number of slices. ' +
      'Tool calls: bootstrap over samples.</p>',
  );
};
