import type { RlMetrics } from '../../domain/progress.ts';
import { section } from './html.ts';
import { type Line, linePlot, smoothed } from './line-plot.ts';
import type { RunReport } from './report-input.ts';
import { overall } from './result-sections.ts';

const palette = ['var(--b)', 'var(--c)', 'var(--d)', 'var(--e)', 'var(--a)'];
const window = 3;

const curve = (metrics: readonly RlMetrics[], value: (line: RlMetrics) => number | null): Line['points'] =>
  smoothed(
    metrics.map((line) => [line.step, value(line)] as const),
    window,
  );

const single = (title: string, metrics: readonly RlMetrics[], value: (line: RlMetrics) => number | null): string =>
  linePlot(title, [{ name: title, colour: 'var(--c)', points: curve(metrics, value) }]);

/** Small multiples of what RL reported at each step. */
export const curveSection = ({ rlMetrics, checkpoints, losses }: RunReport): string => {
  const termNames = [...new Set(rlMetrics.flatMap(({ terms }) => Object.keys(terms)))].sort();
  const parts = ['generation', 'tools', 'scoring', 'training'] as const;
  const validation: Line = {
    name: 'validation, greedy',
    colour: 'var(--b)',
    points: checkpoints.map(({ step, result }) => [step, overall(result)?.accuracy ?? null]),
  };
  const plots = [
    single('reward', rlMetrics, ({ reward }) => reward),
    linePlot('accuracy', [
      { name: 'rollouts, sampled', colour: 'var(--c)', points: curve(rlMetrics, ({ accuracy }) => accuracy) },
      validation,
    ]),
    linePlot(
      'terms of the reward',
      termNames.map((name, index) => ({
        name,
        colour: palette[index % palette.length] ?? 'var(--b)',
        points: curve(rlMetrics, ({ terms }) => terms[name] ?? null),
      })),
    ),
    single('tool calls an episode', rlMetrics, ({ toolCallsPerEpisode }) => toolCallsPerEpisode),
    single('share of calls that ran', rlMetrics, ({ executionSuccess }) => executionSuccess),
    single('model tokens an episode', rlMetrics, ({ length }) => length),
    single('KL to the policy before RL, nats a token', rlMetrics, ({ kl }) => kl),
    linePlot(
      'seconds a step',
      parts.map((part, index) => ({
        name: part,
        colour: palette[index] ?? 'var(--b)',
        points: curve(rlMetrics, ({ seconds }) => seconds[part]),
      })),
    ),
    ...losses.map(({ stage, lines }) =>
      linePlot(`loss of ${stage}`, [
        {
          name: stage,
          colour: 'var(--b)',
          points: smoothed(
            lines.map((line) => [line.step, typeof line.loss === 'number' ? line.loss : null] as const),
            window,
          ),
        },
      ]),
    ),
  ];
  return section(
    'Training',
    `<p class="dim">Over optimiser steps; each point is the mean of ${2 * window + 1} steps around it.</p><div class="plots">${plots.join('')}</div>`,
  );
};
