import type { Call } from '../../domain/episode.ts';
import { type Agreement, advantagesByStep, type ReplaySummary } from '../../scoring/lab/compare-replays.ts';
import { type EpisodeKind, episodeKinds, type Ranked, type Replay } from '../../scoring/lab/replay.ts';
import { escapeHtml, section } from '../report/html.ts';
import { linePlot } from '../report/line-plot.ts';
import { fixed, grouped, percent, signed } from '../report/numbers.ts';
import { styles } from '../report/styles.ts';
import { table } from '../report/table.ts';

export interface RewardLab {
  readonly title: string;
  /** What is added to the deviation of a group. */
  readonly epsilon: number;
  readonly replays: readonly Replay[];
  readonly summaries: readonly ReplaySummary[];
  readonly agreements: readonly Agreement[];
}

const kindColours: Readonly<Record<EpisodeKind, string>> = {
  'right, no call': 'var(--d)',
  'right, calls ran': 'var(--b)',
  'right, a call failed': 'var(--e)',
  'wrong, no call': 'var(--a)',
  'wrong, calls ran': 'var(--hold)',
  'wrong, a call failed': 'var(--c)',
};

const shownCharacters = 220;
const shownDisagreements = 8;

const cut = (text: string): string => (text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text);

const plots = (replays: readonly Replay[]): string => {
  const figures = replays.map((replay) => {
    const steps = advantagesByStep(replay);
    const lines = episodeKinds.map((kind) => ({
      name: kind,
      colour: kindColours[kind],
      points: [...steps].map(([x, values]) => ({ x, y: values[kind] })),
      ...(steps.size === 1 && { look: 'dots' as const }),
    }));
    return linePlot(replay.name, lines, { include: [0], width: 340, height: 190 });
  });
  return `<div class="plots">${figures.join('')}</div>`;
};

const summaryTable = (summaries: readonly ReplaySummary[]): string =>
  table(
    [
      { head: 'reward', left: true },
      { head: 'mean' },
      { head: 'least' },
      { head: 'most' },
      { head: 'groups without<br>spread, %' },
      { head: 'wrong at least<br>as good, %' },
      ...episodeKinds.map((kind) => ({ head: kind.replace(', ', ',<br>') })),
    ],
    summaries.map(({ name, mean, least, most, flatGroups, wrongPreferred, advantages }) => ({
      cells: [
        escapeHtml(name),
        ...[mean, least, most].map((value) => fixed(value, 3)),
        percent(flatGroups),
        percent(wrongPreferred),
        ...episodeKinds.map((kind) => fixed(advantages[kind], 2)),
      ],
    })),
  );

const agreementTable = (agreements: readonly Agreement[]): string =>
  table(
    [
      { head: 'first', left: true },
      { head: 'second', left: true },
      { head: 'pairs that<br>both order' },
      { head: 'same order, %' },
      { head: 'Kendall’s tau-b' },
    ],
    agreements.map(({ names, ordered, same, tau }) => ({
      cells: [...names.map(escapeHtml), grouped(ordered), percent(same), fixed(tau, 3)],
    })),
  );

const resultOf = ({ stdout, images }: Call): string =>
  [stdout.trim(), ...images.map(({ width, height }) => `image of ${width} × ${height}`)].filter(Boolean).join(', ');

const trace = ({ member: { episode, grade }, kind }: Ranked, heading: string): string =>
  `<article><b>${heading}</b> <span class="dim">${escapeHtml(kind)}: ${escapeHtml(grade.reason)}</span>` +
  episode.turns
    .map(
      ({ text, call }) =>
        `<pre class="said">${escapeHtml(cut(text))}</pre>` +
        (call ? `<p class="came">${call.outcome}: ${escapeHtml(cut(call.error?.message ?? resultOf(call)))}</p>` : ''),
    )
    .join('') +
  '</article>';

const disagreement = ({ names, disagreements }: Agreement): string => {
  if (disagreements.length === 0) return '';
  const [one, other] = names.map(escapeHtml);
  const cases = disagreements
    .slice(0, shownDisagreements)
    .map(
      ({ step, first, second, underSecond: [a, b] }) =>
        `<h3>${escapeHtml(first.member.episode.task.sampleId)}${step > 0 ? `, step ${step}` : ''}: ${escapeHtml(cut(first.member.episode.task.question))}</h3>` +
        `<p class="dim">advantages of the two: ${one} ${signed(first.advantage, 2)} and ${signed(second.advantage, 2)}, ` +
        `${other} ${signed(a, 2)} and ${signed(b, 2)}</p>` +
        `<div class="pair">${trace(first, `${one} prefers`)}${trace(second, `${other} prefers`)}</div>`,
    );
  return `<details><summary>${one} against ${other}: the strongest of their disagreements</summary>${cases.join('')}</details>`;
};

/** A page of its own about how rewards would have ranked the episodes of a run; needs nothing beside it. */
export const renderRewardLab = ({ title, epsilon, replays, summaries, agreements }: RewardLab): string =>
  [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<meta name="viewport" content="width=device-width,initial-scale=1"><title>Rewards: ${escapeHtml(title)}</title>`,
    `<style>${styles}</style></head><body><main><h1>Rewards on ${escapeHtml(title)}</h1>`,
    section('What each reward makes of the episodes', summaryTable(summaries)),
    `<p class="note">The last columns are mean advantages, (reward − mean of the group) / (deviation + ${epsilon}), by kind of episode: what a step ` +
      'would push up is positive. “Wrong at least as good”: pairs of a right and a wrong episode of a group in which the wrong one gets no less.</p>',
    section('Mean advantage by kind of episode, over the steps', plots(replays)),
    agreements.length > 0 ? section('Where rewards disagree', agreementTable(agreements)) : '',
    ...agreements.map(disagreement),
    '</main></body></html>\n',
  ].join('\n');
