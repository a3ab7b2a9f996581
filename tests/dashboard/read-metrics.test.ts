import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readMetrics } from '../../dashboard/report/read-metrics.ts';
import { metricsLineSchema } from '../../domain/progress.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lensmith-metrics-'));
});

afterEach(() => rm(folder, { recursive: true }));

it('takes the last line of a step that was done again, in the order of the steps, and passes over torn lines', async () => {
  const file = join(folder, 'metrics.jsonl');
  const lines = [
    '{"step":1,"at":1,"loss":3}',
    '{"step":3,"at":3,"loss":1}',
    '{"step":2,"at":4,"loss":2}',
    '{"step":3,"at":5,"loss":0.5}',
    '{"step":4,"at":6,"lo',
  ];
  await writeFile(file, lines.join('\n'));
  const read = await readMetrics(file, metricsLineSchema);
  expect(read.map(({ step, loss }) => [step, loss])).toEqual([
    [1, 3],
    [2, 2],
    [3, 0.5],
  ]);
});

it('gives no lines where there is no file', async () => {
  expect(await readMetrics(join(folder, 'none.jsonl'), metricsLineSchema)).toEqual([]);
});
