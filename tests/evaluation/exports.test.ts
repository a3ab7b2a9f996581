import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Field, Int32, Schema } from 'apache-arrow';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeBatches } from '../../evaluation/export/encode-batches.ts';
import { exportEvaluation } from '../../evaluation/export/export-evaluation.ts';
import { rowBatches } from '../../evaluation/export/row-batches.ts';
import { openEntryReader } from '../../evaluation/read-entry.ts';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { writeFileAtomic } from '../../processes/atomic-file.ts';
import { stored } from '../../processes/storage-failure.ts';
import { python } from '../datasets/python.ts';
import { codeTurn } from '../episodes/play.ts';
import { startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex, evaluationOptions, writeDigitSet } from './digit-set.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-export-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const readers = {
  parquet: 'pd.read_parquet(path)',
  arrow: 'pa.ipc.open_file(pa.memory_map(path)).read_all().to_pandas()',
} as const;

test.each(['parquet', 'arrow'] as const)('pandas reads results and traces as %s', async (format) => {
  const dataset = await writeDigitSet(dir, 5, [4]);
  const outputDir = join(dir, 'out');
  // Even samples call the tool once; 3 is answered wrongly.
  const server = await startScriptedServer((request) => {
    const index = askedIndex(request);
    if (index % 2 === 0 && request.messages.length === 1) return codeTurn('print(8)');
    return `<answer>${index === 3 ? 99 : index}</answer>`;
  });
  try {
    await runEvaluation(
      await evaluationOptions({ dataset, outputDir, endpoints: [server.url], maxUndecidedShare: 1, attempts: 2 }),
    );
  } finally {
    await server.close();
  }
  const { files, episodes } = await exportEvaluation(outputDir, format);
  expect(episodes).toBe(10);
  expect(files).toEqual([join(outputDir, `results.${format}`), join(outputDir, `traces.${format}`)]);
  const program = `
import json, sys
import pandas as pd, pyarrow as pa, pyarrow.ipc
results, traces = (${readers[format]} for path in sys.argv[1:])
print(json.dumps({
  'rows': results['row'].tolist(),
  'attempts': results['attempt'].tolist(),
  'verdicts': results['verdict'].tolist(),
  'calls': results['calls'].tolist(),
  'errors': results['error_type'].notna().tolist(),
  'started': str(results['started_at'].dtype),
  'year': int(results['started_at'].dt.year.max()),
  'turns': traces.groupby('sample_id').size().to_dict(),
  'code': traces['code'].dropna().unique().tolist(),
  'stdout': traces['stdout'].dropna().unique().tolist(),
  'images': [list(images) for images in traces['images'].dropna()],
}))`;
  const read = JSON.parse(await python(program, ...files));
  expect(read).toMatchObject({
    rows: [0, 0, 1, 1, 2, 2, 3, 3, 4, 4],
    attempts: [0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
    calls: [1, 1, 0, 0, 1, 1, 0, 0, 0, 0],
    errors: [...new Array(8).fill(false), true, true],
    turns: { 'test-0': 4, 'test-1': 2, 'test-2': 4, 'test-3': 2 },
    code: ['print(8)'],
    stdout: ['8\n'],
    images: [[], [], [], []],
  });
  expect(read.verdicts.slice(4)).toEqual(['correct', 'correct', 'wrong', 'wrong', 'infra_error', 'infra_error']);
  expect(read.started).toMatch(/^datetime64\[ms, UTC\]$/);
  expect(read.year).toBe(new Date().getUTCFullYear());
});

test.each(['parquet', 'arrow'] as const)(
  'where no episode had a turn the traces are an empty table as %s',
  async (format) => {
    const outputDir = join(dir, 'out');
    const dataset = await writeDigitSet(dir, 2, [0, 1]);
    const server = await startScriptedServer(() => 'never asked');
    try {
      await runEvaluation(
        await evaluationOptions({ dataset, outputDir, endpoints: [server.url], maxUndecidedShare: 1 }),
      );
    } finally {
      await server.close();
    }
    const { files } = await exportEvaluation(outputDir, format);
    const program = `
import json, sys
import pandas as pd, pyarrow as pa, pyarrow.ipc
results, traces = (${readers[format]} for path in sys.argv[1:])
print(json.dumps([results['ending'].tolist(), len(traces), [str(traces[name].dtype) for name in ('turn', 'started_at')]]))`;
    const read = JSON.parse(await python(program, ...files));
    expect(read).toEqual([['data_error', 'data_error'], 0, ['int32', 'datetime64[ms, UTC]']]);
  },
);

test('a table or a result that cannot be written is named', async () => {
  const outputDir = join(dir, 'out');
  const server = await startScriptedServer((request) => `<answer>${askedIndex(request)}</answer>`);
  try {
    const options = { dataset: await writeDigitSet(dir, 1), outputDir, endpoints: [server.url] };
    await mkdir(join(outputDir, 'result.json'), { recursive: true });
    await expect(runEvaluation(await evaluationOptions(options))).rejects.toMatchObject({
      ...{ type: 'infrastructure', where: join(outputDir, 'result.json') },
    });
    const journal = join(dir, 'other', 'journal.jsonl');
    await mkdir(journal, { recursive: true });
    await expect(
      runEvaluation(await evaluationOptions({ ...options, outputDir: join(dir, 'other') })),
    ).rejects.toMatchObject({ type: 'infrastructure', where: journal });
  } finally {
    await server.close();
  }
  const missing = join(dir, 'missing');
  await expect(exportEvaluation(outputDir, 'parquet', missing)).rejects.toMatchObject({
    ...{ type: 'infrastructure', where: join(missing, 'results.parquet') },
  });
});

test.each(['parquet', 'arrow'] as const)(
  'rows that fail in the middle end a %s table with their error',
  async (format) => {
    const schema = new Schema([new Field('row', new Int32(), false)]);
    async function* rows(): AsyncGenerator<{ row: number }> {
      for (let row = 0; row < 3000; row += 1) yield { row };
      throw new Error('the rows are over');
    }
    const path = join(dir, `rows.${format}`);
    const written = writeFileAtomic(path, encodeBatches(format, schema, rowBatches(schema, rows())));
    await expect(written).rejects.toThrow('the rows are over');
    expect(await readdir(dir)).toEqual([]);
  },
);

test('a journal that can be read no more is named, and not the file that is made of it', async () => {
  const reader = await openEntryReader(dir);
  const line = reader.read({ start: 0, length: 1 });
  await expect(stored(join(dir, 'results.jsonl'), line)).rejects.toMatchObject({
    ...{ type: 'infrastructure', where: dir, message: expect.stringContaining('cannot be read') },
  });
  await reader.close();
  const gone = join(dir, 'journal.jsonl');
  await expect(stored(join(dir, 'results.jsonl'), openEntryReader(gone))).rejects.toMatchObject({ where: gone });
});

test('a folder without a journal is named', async () => {
  await expect(exportEvaluation(dir, 'parquet')).rejects.toMatchObject({
    type: 'data',
    where: join(dir, 'journal.jsonl'),
  });
});
