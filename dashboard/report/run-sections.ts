import { stringify } from 'yaml';
import type { StageStatus } from '../../domain/stage.ts';
import { duration, escapeHtml, section, table } from './html.ts';
import { judgeNote } from './judge-note.ts';
import type { RunReport } from './report-input.ts';

const secondsOf = ({ startedAt, endedAt }: StageStatus, now: number): number =>
  startedAt === null ? 0 : ((endedAt ?? now) - startedAt) / 1000;

/** What each stage did and took. */
export const stageSection = ({ stages, writtenAt }: RunReport): string => {
  const now = Date.parse(writtenAt);
  const longest = Math.max(1, ...stages.map((stage) => secondsOf(stage, now)));
  const rows = stages
    .filter(({ name }) => name !== 'report')
    .map((stage) => {
      const seconds = secondsOf(stage, now);
      return [
        escapeHtml(stage.name),
        escapeHtml(stage.state),
        String(stage.attempts),
        duration(seconds),
        `<span class="bar" style="width:${Math.round((120 * seconds) / longest)}px"></span>`,
        escapeHtml(stage.note),
      ];
    });
  return section('Stages', table(['stage', 'state', 'attempts', 'time', '', 'note'], rows, { left: [0, 1, 4, 5] }));
};

const flat = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? Object.entries(value)
        .map(([key, inner]) => `${key} ${flat(inner)}`)
        .join(', ')
    : String(value);

/** What the figures rest on: data, scoring, sandbox. */
export const groundsSection = (report: RunReport): string => {
  const fingerprint = report.benchmark[0]?.fingerprint;
  const rows: [string, string][] = [
    ['data', `digest ${report.dataDigest.slice(0, 16)}…`],
    ...Object.entries(report.data)
      .filter(([key]) => ['rows', 'seed', 'source', 'digits'].includes(key))
      .map(([key, value]): [string, string] => [`data: ${key}`, flat(value)]),
    ['who decided', judgeNote(report)],
    ['sandbox', `isolation: ${fingerprint?.isolation ?? 'unknown'}`],
    [
      'protocol',
      fingerprint
        ? `${fingerprint.protocol.name} version ${fingerprint.protocol.version}, digest ${fingerprint.protocol.digest.slice(0, 16)}…`
        : 'unknown',
    ],
    [
      'sampling',
      fingerprint ? `temperature ${fingerprint.temperature}, at most ${fingerprint.maxTokens} tokens a turn` : '',
    ],
    ['scoring', fingerprint?.scoring ?? ''],
  ];
  return section(
    'What the figures rest on',
    table(
      ['', ''],
      rows.map(([key, value]) => [escapeHtml(key), escapeHtml(value)]),
      { left: [0, 1] },
    ),
  );
};

/** Paths, the next commands and the whole spec. */
export const filesSection = ({ dir, run, spec, promotion }: RunReport): string =>
  section(
    'Files and next steps',
    table(
      ['', ''],
      [
        ['run', `<code>${escapeHtml(dir)}</code>`],
        ['best checkpoint', `<code>${escapeHtml(promotion.path)}</code>`],
        ['journals of every episode', `<code>${escapeHtml(`${dir}/evaluations/`)}</code>`],
        ['every night from now on', `<code>lensmith nightly enable ${escapeHtml(spec.name)}</code>`],
      ],
      { left: [0, 1] },
    ) +
      `<details><summary>the resolved spec of ${escapeHtml(run)}</summary><pre>${escapeHtml(stringify(spec))}</pre></details>`,
  );
