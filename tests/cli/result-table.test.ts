import { expect, test } from 'vitest';
import { resultTable } from '../../cli/result-table.ts';
import type { Summary } from '../../domain/summary.ts';

type Row = Summary['evaluations'][number];

const row = (model: string, family: string, transform: string, changes: Partial<Row> = {}): Row => ({
  model,
  checkpoint: 'model',
  dataset: 'test',
  family,
  transform,
  samples: 200,
  accuracy: 0.5,
  low: 0.431,
  high: 0.569,
  toolCallsPerEpisode: 0.75,
  toolShare: 0.5,
  executionSuccess: 0.9,
  undecided: 0,
  ...changes,
});

const summaryOf = (evaluations: Row[]): Summary => ({
  version: 1,
  run: 'digits-1',
  name: 'digits',
  seed: 0,
  stages: [],
  evaluations,
  judge: { model: null, decided: 0, note: '' },
  promoted: null,
  hours: null,
  isolation: 'namespaces',
});

const cells = (table: string): string[][] =>
  table
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

test('a row a slice, a column a model, with the interval of each accuracy', () => {
  const table = resultTable(
    summaryOf([
      row('base', 'all', 'all', {
        accuracy: 0.1,
        low: 0.066,
        high: 0.149,
        toolCallsPerEpisode: 0,
        executionSuccess: null,
      }),
      row('rl', 'all', 'all', { accuracy: 0.9, low: 0.851, high: 0.934, toolCallsPerEpisode: 1.204 }),
    ]),
  );
  expect(cells(table)).toEqual([
    ['test split', 'n', 'base: accuracy % [95 %]', 'rl: accuracy % [95 %]', 'calls/episode', 'calls that ran %'],
    ['all', '200', '10.0 [6.6, 14.9]', '90.0 [85.1, 93.4]', '0.00 / 1.20', '– / 90.0'],
  ]);
});

test('evaluations of other splits are left out, and a model without a slice has a dash there', () => {
  const table = resultTable(
    summaryOf([
      row('sft', 'all', 'all'),
      row('rl', 'all', 'all'),
      row('rl', 'sum', 'all'),
      row('rl', 'count', 'all', { dataset: 'validation' }),
    ]),
  );
  expect(cells(table).slice(1)).toEqual([
    ['all', '200', '50.0 [43.1, 56.9]', '50.0 [43.1, 56.9]', '0.75 / 0.75', '90.0 / 90.0'],
    ['sum', '200', '–', '50.0 [43.1, 56.9]', '– / 0.75', '– / 90.0'],
  ]);
});

test('a family with one transform has no row of its own for it', () => {
  const table = resultTable(
    summaryOf([
      row('rl', 'orient', 'all'),
      row('rl', 'orient', 'identity'),
      row('rl', 'orient', 'rotate_90'),
      row('rl', 'sum', 'all'),
      row('rl', 'sum', 'identity'),
    ]),
  );
  expect(cells(table).map(([slice]) => slice)).toEqual([
    'test split',
    'orient',
    'orient identity',
    'orient rotate_90',
    'sum',
  ]);
});
