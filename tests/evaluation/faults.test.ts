import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { python } from '../datasets/python.ts';
import { type Step, startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex, evaluationOptions, writeDigitSet } from './digit-set.ts';

let dir: string;
let outputDir: string;
const servers: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-faults-'));
  outputDir = join(dir, 'out');
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(dir, { recursive: true, force: true });
});

const serve = async (next: (index: number, count: number) => Step | Promise<Step>) => {
  const server = await startScriptedServer((request, count) => next(askedIndex(request), count));
  servers.push(server);
  return server;
};
const right = (index: number): string => `<answer>${index}</answer>`;

const stalledBody: Step = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"choices":[');
};
const stalledHeader: Step = () => undefined;

test('400 samples with 2 % stalled answers are all accounted for, and only what stalled is asked again', async () => {
  const dataset = await writeDigitSet(dir, 400);
  const stalled = new Set<number>();
  const server = await serve((index) => {
    if (index % 50 !== 7 || stalled.has(index)) return right(index);
    stalled.add(index);
    return index % 100 === 7 ? stalledBody : stalledHeader;
  });
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], concurrency: 64 });
  const result = await runEvaluation({ ...options, requests: { attempts: 3, pauseMs: 5, requestSeconds: 1 } });
  expect(result).toMatchObject({ endings: { answered: 400 }, verdicts: { correct: 400 } });
  expect(server.requests.length).toBe(400 + stalled.size);
  expect(stalled.size).toBe(8);
});

test('what stalls for ever is in the denominator, and nothing hangs', async () => {
  const dataset = await writeDigitSet(dir, 100);
  const server = await serve((index) => (index % 50 === 7 ? stalledBody : right(index)));
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], concurrency: 32 });
  const requests = { attempts: 2, pauseMs: 5, requestSeconds: 0.4 };
  const result = await runEvaluation({ ...options, requests, maxUndecidedShare: 0.05 });
  expect(result.endings).toEqual({ answered: 98, model_error: 2 });
  expect(result.slices[0]).toMatchObject({ samples: 100, correct: 98, accuracy: 0.98, accuracyIfUndecidedRight: 1 });
});

test('rows of a torn shard are data errors, those of the others are asked, and ids that come twice stay apart', async () => {
  for (const name of ['a', 'b', 'c']) await mkdir(join(dir, name));
  const shards = await Promise.all(['a', 'b', 'c'].map((name) => writeDigitSet(join(dir, name), 3)));
  const [, torn = ''] = shards;
  const offset = await python(
    'import sys, pyarrow.parquet as pq; print(pq.ParquetFile(sys.argv[1]).metadata.row_group(0).column(0).data_page_offset)',
    torn,
  );
  const file = await open(torn, 'r+');
  await file.write(Buffer.alloc(64, 0xff), 0, 64, Number(offset));
  await file.close();
  const server = await serve(right);
  const options = await evaluationOptions({
    dataset: shards.join(','),
    outputDir,
    endpoints: [server.url],
    maxUndecidedShare: 0.5,
  });
  const result = await runEvaluation(options);
  expect(result.endings).toEqual({ answered: 6, data_error: 3 });
  const lines = (await readFile(join(outputDir, 'journal.jsonl'), 'utf8')).trimEnd().split('\n').slice(1);
  const entries = lines.map((line) => JSON.parse(line).entry).sort((a, b) => a.row - b.row);
  expect(entries.map(({ sampleId }) => sampleId)).toEqual([
    ...['test-0', 'test-1', 'test-2'],
    ...['row-3', 'row-4', 'row-5'],
    ...['test-0~2', 'test-1~2', 'test-2~2'],
  ]);
  expect(entries[4].episode.error.message).toContain(torn);
  await runEvaluation(options);
  expect(server.requests).toHaveLength(6);
});

test('a row that does not fit is a data error of its own', async () => {
  const dataset = join(dir, 'test.parquet');
  const program = `
import sys
import pyarrow as pa, pyarrow.parquet as pq
extra = pa.struct([('question', pa.string()), ('answer', pa.string())])
schema = pa.schema([('images', pa.list_(pa.binary())), ('extra_info', extra)])
rows = [{'images': [], 'extra_info': {'question': question, 'answer': '1'}} for question in ['What is 1?', None, 'What is 1?']]
pq.write_table(pa.Table.from_pylist(rows, schema=schema), sys.argv[1])`;
  await python(program, dataset);
  const server = await serve(right);
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], maxUndecidedShare: 0.5 });
  const result = await runEvaluation({ ...options, dataSource: 'own' });
  expect(result.endings).toEqual({ answered: 2, data_error: 1 });
  // Text answers: the rule finds the same text.
  expect(result.verdicts).toEqual({ correct: 2, infra_error: 1 });
});

test('a data set without a row has no accuracy', async () => {
  const dataset = await writeDigitSet(dir, 0);
  const server = await serve(right);
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url] });
  await expect(runEvaluation(options)).rejects.toMatchObject({ type: 'data', where: dataset });
});

test('a full disk ends it as disk_full, and with room it goes on', async () => {
  const dataset = await writeDigitSet(dir, 80);
  const server = await serve(right);
  await mkdir(outputDir);
  // In a mount namespace of its own, the folder is a disk of 64 KiB, then one of 8 MiB.
  const script = `
set -u
mount -t tmpfs -o size=64k none "$1"
"$2" "$3" "$4" "$1" "$5" 8; echo "first $?"
mount -o remount,size=8m "$1"
"$2" "$3" "$4" "$1" "$5" 8; echo "second $?"
cp "$1/journal.jsonl" "$6"`;
  const program = join(import.meta.dirname, 'fixtures/evaluate.ts');
  const copy = join(dir, 'journal.jsonl');
  const { stdout } = await promisify(execFile)(
    'unshare',
    ['-rm', 'sh', '-c', script, 'sh', outputDir, process.execPath, program, dataset, server.url, copy],
    { timeout: 120_000 },
  );
  expect(stdout).toMatch(/^disk_full: the disk is full.*\nfirst 1\nsecond 0\n$/);
  const ids = (await readFile(copy, 'utf8')).trimEnd().split('\n').slice(1);
  expect(new Set(ids.map((line) => JSON.parse(line).entry.sampleId)).size).toBe(80);
  expect(ids.length).toBe(80);
}, 180_000);
