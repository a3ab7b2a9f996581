import Table from 'cli-table3';
import type { Summary } from '../domain/summary.ts';

type Row = Summary['evaluations'][number];

const percent = (share: number): string => (100 * share).toFixed(1);

const accuracy = (row: Row | undefined): string =>
  row ? `${percent(row.accuracy)} [${percent(row.low)}, ${percent(row.high)}]` : '–';

const calls = (row: Row | undefined): string => (row ? row.toolCallsPerEpisode.toFixed(2) : '–');

const success = (row: Row | undefined): string =>
  row?.executionSuccess === null || row === undefined ? '–' : percent(row.executionSuccess);

const sliceName = ({ family, transform }: Pick<Row, 'family' | 'transform'>): string =>
  transform === 'all' ? family : `${family} ${transform}`;

/**
 * The benchmark suite as a table for a terminal: a row a slice, and for each model the accuracy with its 95 % interval,
 * the tool calls an episode and the share of calls that ran.
 */
export const resultTable = (summary: Summary): string => {
  const suite = summary.evaluations.filter(({ dataset }) => dataset === 'test');
  const models = [...new Set(suite.map(({ model }) => model))];
  const slices = [...new Map(suite.map((row) => [sliceName(row), row])).values()].filter(
    ({ family, transform }) =>
      transform === 'all' || suite.filter((row) => row.family === family).length > 2 * models.length,
  );
  const table = new Table({
    head: [
      'test split',
      'n',
      ...models.map((model) => `${model}: accuracy % [95 %]`),
      'calls/episode',
      'calls that ran %',
    ],
    style: { head: [], border: [] },
  });
  for (const slice of slices) {
    const of = (model: string): Row | undefined =>
      suite.find((row) => row.model === model && row.family === slice.family && row.transform === slice.transform);
    table.push([
      sliceName(slice),
      String(slice.samples),
      ...models.map((model) => accuracy(of(model))),
      models.map((model) => calls(of(model))).join(' / '),
      models.map((model) => success(of(model))).join(' / '),
    ]);
  }
  return table.toString();
};
