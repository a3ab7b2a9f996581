import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { evaluationResultSchema } from '../../domain/evaluation.ts';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { readJson } from '../../processes/atomic-file.ts';
import { codeTurn } from '../episodes/play.ts';
import { answerStatus, type ReceivedRequest, type Step, startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex, evaluationOptions, writeDigitSet } from './digit-set.ts';

let dir: string;
let outputDir: string;
const servers: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-evaluation-'));
  outputDir = join(dir, 'out');
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(dir, { recursive: true, force: true });
});

const serve = async (next: (index: number, request: ReceivedRequest) => Step | Promise<Step>) => {
  const server = await startScriptedServer((request) => next(askedIndex(request), request));
  servers.push(server);
  return { url: server.url, asked: () => server.requests.map(askedIndex).sort((a, b) => a - b) };
};
const right = (index: number): string => `<answer>${index}</answer>`;
const journal = (): string => join(outputDir, 'journal.jsonl');

test('every sample is in the figures, by slice', async () => {
  const dataset = await writeDigitSet(dir, 8);
  // 0, 2, 4, 6 are sums by a call; of 1, 3, 5, 7 the 3 is wrong.
  const server = await serve((index, { messages }) => {
    if (index % 2 === 0 && messages.length === 1) return codeTurn('print(8)');
    return right(index === 3 ? 99 : index);
  });
  const result = await runEvaluation(await evaluationOptions({ dataset, outputDir, endpoints: [server.url] }));
  const slice = (family: string, transform: string) =>
    result.slices.find((entry) => entry.family === family && entry.transform === transform);
  expect(result.slices).toHaveLength(6);
  expect(slice('all', 'all')).toMatchObject({
    samples: 8,
    correct: 7,
    accuracy: 0.875,
    undecided: 0,
    toolCallsPerEpisode: 0.5,
    toolShare: 0.5,
    executionSuccess: 1,
  });
  expect(slice('orient', 'all')).toMatchObject({ samples: 4, correct: 3, executionSuccess: null });
  expect(slice('orient', 'identity')).toMatchObject({ samples: 2, correct: 1 });
  expect(slice('orient', 'rotate_90')).toMatchObject({ samples: 2, correct: 2 });
  expect(slice('sum', 'identity')).toMatchObject({ samples: 4, correct: 4, toolShare: 1 });
  expect(result).toMatchObject({ endings: { answered: 8 }, verdicts: { correct: 7, wrong: 1 }, judgeDecided: 0 });
  expect(await readJson(join(outputDir, 'result.json'), evaluationResultSchema)).toEqual(result);
  expect(await readdir(join(outputDir, 'images'))).toHaveLength(1);
});

test('run again, it asks nothing', async () => {
  const dataset = await writeDigitSet(dir, 4);
  const server = await serve(right);
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url] });
  const first = await runEvaluation(options);
  const before = await readFile(journal(), 'utf8');
  const second = await runEvaluation(options);
  expect({ ...second, seconds: 0 }).toEqual({ ...first, seconds: 0 });
  expect(server.asked()).toEqual([0, 1, 2, 3]);
  expect(await readFile(journal(), 'utf8')).toBe(before);
});

test('a second run into the same folder is refused by the name of the folder', async () => {
  const dataset = await writeDigitSet(dir, 1);
  const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const server = await serve(async (index) => {
    asked.resolve();
    await released.promise;
    return right(index);
  });
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url] });
  const first = runEvaluation(options);
  await asked.promise;
  // Each look at the clock is ten seconds after the one before, so that the wait for the folder is soon over.
  let time = Date.now();
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => {
    time += 10_000;
    return time;
  });
  try {
    await expect(runEvaluation(options)).rejects.toMatchObject({ type: 'infrastructure', where: outputDir });
  } finally {
    clock.mockRestore();
    released.resolve();
  }
  expect((await first).endings).toEqual({ answered: 1 });
});

test('broken off half-way, it goes on with the rest', async () => {
  const dataset = await writeDigitSet(dir, 12);
  const server = await serve(right);
  const abort = new AbortController();
  const done: number[] = [];
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], concurrency: 1 });
  const broken = runEvaluation({
    ...options,
    signal: abort.signal,
    onProgress: (progress) => {
      done.push(progress.done);
      if (progress.done === 5) abort.abort(new Error('the worker stops'));
    },
  });
  await expect(broken).rejects.toMatchObject({ type: 'cancelled' });
  expect(done).toEqual([1, 2, 3, 4, 5]);
  const result = await runEvaluation(options);
  expect(result.slices[0]).toMatchObject({ samples: 12, correct: 12 });
  expect(server.asked()).toEqual(Array.from({ length: 12 }, (_, index) => index));
});

test('killed half-way, it goes on with the rest', async () => {
  const dataset = await writeDigitSet(dir, 6);
  let child: ChildProcess | undefined;
  const server = await serve((index) => {
    if (index === 4 && child?.kill('SIGKILL')) return () => undefined;
    return right(index);
  });
  child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/evaluate.ts'), dataset, outputDir, server.url], {
    stdio: 'inherit',
  });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url] });
  const result = await runEvaluation(options);
  expect(result.slices[0]).toMatchObject({ samples: 6, correct: 6 });
  expect(server.asked()).toEqual([0, 1, 2, 3, 4, 4, 5]);
});

test('a torn last line is cut off, and its sample is asked again', async () => {
  const dataset = await writeDigitSet(dir, 3);
  const server = await serve(right);
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], concurrency: 1 });
  await runEvaluation(options);
  const whole = await readFile(journal());
  await truncate(journal(), whole.length - 20);
  const result = await runEvaluation(options);
  expect(result.slices[0]).toMatchObject({ samples: 3, correct: 3 });
  expect(server.asked()).toEqual([0, 1, 2, 2]);
  expect((await readFile(journal())).length).toBeGreaterThan(whole.length - 20);
});

test('a damaged line in the middle is not passed over', async () => {
  const dataset = await writeDigitSet(dir, 3);
  const server = await serve(right);
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url] });
  await runEvaluation(options);
  const text = await readFile(journal(), 'utf8');
  await writeFile(journal(), text.replace('"verdict":"correct"', '"verdict":"wrong"'));
  await expect(runEvaluation(options)).rejects.toMatchObject({ type: 'data', where: `${journal()}:2` });
  await appendFile(journal(), 'x');
  await expect(runEvaluation(options)).rejects.toMatchObject({ type: 'data' });
});

test('another fingerprint does not go into the same journal', async () => {
  const dataset = await writeDigitSet(dir, 2);
  const server = await serve(right);
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url] });
  await runEvaluation(options);
  const warmer = { ...options, sampling: { ...options.sampling, temperature: 1 } };
  await expect(runEvaluation(warmer)).rejects.toMatchObject({
    type: 'config',
    message: expect.stringContaining('temperature: 0 → 1'),
  });
});

test('what an outage hit is undecided, and asked again at the next run', async () => {
  const dataset = await writeDigitSet(dir, 4);
  let away = true;
  const server = await serve((index) => (away && index === 2 ? answerStatus(503) : right(index)));
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], concurrency: 1 });
  await expect(runEvaluation(options)).rejects.toMatchObject({
    type: 'undecided',
    where: expect.stringContaining('model_error 1'),
  });
  expect(await readdir(outputDir)).not.toContain('result.json');
  away = false;
  const result = await runEvaluation(options);
  expect(result.slices[0]).toMatchObject({ samples: 4, correct: 4, undecided: 0 });
  expect(server.asked()).toEqual([0, 1, 2, 2, 2, 3]);
});

test('an image that does not decode stays in the denominator', async () => {
  const dataset = await writeDigitSet(dir, 4, [1]);
  const server = await serve(right);
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], maxUndecidedShare: 0.25 });
  const result = await runEvaluation(options);
  expect(result.slices[0]).toMatchObject({
    samples: 4,
    correct: 3,
    accuracy: 0.75,
    accuracyIfUndecidedRight: 1,
    undecided: 1,
  });
  expect(result.endings).toEqual({ answered: 3, data_error: 1 });
  expect(await readFile(join(outputDir, 'journal.jsonl'), 'utf8')).toContain('got 1 bytes: it begins as none');
});

test('what the judge could not tell is graded again without asking the model', async () => {
  const dataset = await writeDigitSet(dir, 2);
  const server = await serve(right);
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], maxUndecidedShare: 1 });
  const first = await runEvaluation({
    ...options,
    grade: async () => ({ verdict: 'judge_failed', decidedBy: 'none', reason: 'the judge is away' }),
  });
  expect(first.verdicts).toEqual({ judge_failed: 2 });
  const second = await runEvaluation(options);
  expect(second.verdicts).toEqual({ correct: 2 });
  expect(server.asked()).toEqual([0, 1]);
});

test('an endpoint with another model is refused before anything is asked', async () => {
  const dataset = await writeDigitSet(dir, 1);
  const server = await serve(right);
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], servedModel: 'rl' });
  await expect(runEvaluation(options)).rejects.toMatchObject({ type: 'config' });
  expect(server.asked()).toEqual([]);
});

test('limit asks the first samples, within the concurrency', async () => {
  const dataset = await writeDigitSet(dir, 9);
  let running = 0;
  let most = 0;
  const server = await serve(async (index) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 20));
    running -= 1;
    return right(index);
  });
  const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], limit: 6, concurrency: 3 });
  const result = await runEvaluation(options);
  expect(result.slices[0]).toMatchObject({ samples: 6 });
  expect(server.asked()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(most).toBe(3);
});
