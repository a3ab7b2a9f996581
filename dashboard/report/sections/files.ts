import { stringify } from 'yaml';
import { escapeHtml, section } from '../html.ts';
import type { RunReport } from '../report-input.ts';
import { facts } from '../table.ts';

/** Where everything lies, what to do next, and the spec of the run. */
export const filesSection = ({ run, dir, spec, promotion }: RunReport): string => {
  const code = (text: string): string => `<code>${escapeHtml(text)}</code>`;
  const files: (readonly [string, string])[] = [
    ['run', code(dir)],
    ['spec, plan', code('run.json')],
    ['logs and command lines', code('stages/<stage>/attempt-<n>/')],
    ['checkpoint', code(promotion.path)],
    ['journals, every episode', code('evaluations/<model>-<checkpoint>-<split>/journal.jsonl')],
    ['figures for programs', code('report/summary.json')],
    ['decision', code(promotion.record ?? 'promotion.json')],
  ];
  const next: (readonly [string, string])[] = [
    [code(`lensmith nightly trigger ${spec.name}`), 'evaluates what is promoted under this name now'],
    [code(`lensmith nightly enable ${spec.name}`), 'does so every night'],
    [code(`lensmith watch ${run}`), 'shows the stages again'],
  ];
  const commands = promotion.decision === 'held' ? next.slice(2) : next;
  return section(
    'Files and next commands',
    `<div class="pair">${facts(files)}${facts(commands)}</div>` +
      `<details><summary>The resolved spec</summary><pre>${escapeHtml(stringify(spec))}</pre></details>`,
  );
};
