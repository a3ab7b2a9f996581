import { curveSection } from './curve-section.ts';
import { exampleSection } from './example-section.ts';
import { duration, escapeHtml, percent } from './html.ts';
import type { RunReport } from './report-input.ts';
import { benchmarkSection, checkpointSection, comparisonSection, overall } from './result-sections.ts';
import { filesSection, groundsSection, stageSection } from './run-sections.ts';
import { styles } from './styles.ts';

const tile = (value: string, label: string): string =>
  `<div class="tile"><b>${value}</b><span>${escapeHtml(label)}</span></div>`;

const tiles = ({ benchmark, stages, writtenAt }: RunReport): string => {
  const accuracies = benchmark.map((result) => {
    const all = overall(result);
    const label = all
      ? `accuracy of ${result.model} %, 95 %: ${percent(all.low)} to ${percent(all.high)}`
      : `accuracy of ${result.model}`;
    return tile(percent(all?.accuracy ?? null), label);
  });
  const last = benchmark.at(-1);
  const best = last && overall(last);
  const starts = stages.flatMap(({ startedAt }) => startedAt ?? []);
  const seconds = starts.length === 0 ? 0 : (Date.parse(writtenAt) - Math.min(...starts)) / 1000;
  return `<div class="tiles">${accuracies.join('')}${tile(best?.toolCallsPerEpisode.toFixed(2) ?? '–', 'tool calls an episode after RL')}${tile(
    percent(best?.executionSuccess ?? null),
    'calls that ran after RL, %',
  )}${tile(String(best?.undecided ?? 0), `undecided of ${best?.samples ?? 0} samples after RL`)}${tile(duration(seconds), 'the whole run')}</div>`;
};

/**
 * The report of a run as one HTML file: it needs no network and no scripts, opens from disk, prints on paper and
 * follows the reader's choice of light or dark.
 */
export const renderReport = (report: RunReport): string => {
  const { run, spec, promotion, writtenAt } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(run)}</title>
<style>${styles}</style>
</head>
<body>
<main>
<h1>${escapeHtml(run)} <span class="badge ${promotion.decision}">${promotion.decision}</span></h1>
<p class="dim">${escapeHtml(writtenAt.slice(0, 16).replace('T', ' '))} UTC · protocol ${escapeHtml(spec.protocol)} · seed ${spec.seed} · reward ${escapeHtml(spec.rl.reward)} · host ${escapeHtml(spec.host)}</p>
<p>checkpoint-${promotion.step}: ${escapeHtml(promotion.why)}.</p>
${tiles(report)}
${benchmarkSection(report)}
${comparisonSection(report)}
${curveSection(report)}
${checkpointSection(report)}
${exampleSection(report)}
${stageSection(report)}
${groundsSection(report)}
${filesSection(report)}
</main>
</body>
</html>
`;
};
