import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readMetrics } from '../../dashboard/report/read-metrics.ts';
import { metricsLineSchema } from '../../domain/progress.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

it('takes the last line of a step that was done again, in the order of the steps, and counts what it cannot read', async () => {
  const file = join(await temporaryFolder(), 'metrics.jsonl');
  const lines = [
    '{"step":1,"at":1,"loss":3}',
    '{"step":3,"at":3,"loss":1}',
    '{"step":2,"at":4,"loss":2}',
    '{"step":3,"at":5,"loss":0.5}',
    '{"step":4,"at":6,"loss":NaN}',
    '{"step":4,"at":6,"lo',
  ];
  await writeFile(file, lines.join('\n'));
  const read = await readMetrics(file, metricsLineSchema);
  expect(read.lines.map(({ step, loss }) => [step, loss])).toEqual([
    [1, 3],
    [2, 2],
    [3, 0.5],
  ]);
  expect(read.unreadable).toBe(2);
});

it('gives no lines where there is no file', async () => {
  const file = join(await temporaryFolder(), 'none.jsonl');
  expect(await readMetrics(file, metricsLineSchema)).toEqual({ file, lines: [], unreadable: 0 });
});
