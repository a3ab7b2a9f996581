import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { answerStatus, type Step, startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex, evaluationOptions, writeDigitSet } from './digit-set.ts';

let dir: string;
let outputDir: string;
let dataset: string;
const servers: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-resume-'));
  outputDir = join(dir, 'out');
  dataset = await writeDigitSet(dir, 4);
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(dir, { recursive: true, force: true });
});

const serve = async (next: (index: number) => Step | Promise<Step>) => {
  const server = await startScriptedServer((request) => next(askedIndex(request)));
  servers.push(server);
  const asked = (): number[] => server.requests.map(askedIndex).sort((a, b) => a - b);
  return { ...server, asked };
};
const right = (index: number): string => `<answer>${index}</answer>`;
const optionsFor = (url: string) =>
  evaluationOptions({ dataset, outputDir, endpoints: [url], maxUndecidedShare: 1, concurrency: 1 });

test('what has failed is asked again only where that is wanted', async () => {
  let away = true;
  const server = await serve((index) => (away && index === 2 ? answerStatus(400) : right(index)));
  const options = await optionsFor(server.url);
  const first = await runEvaluation(options);
  expect(first.endings).toEqual({ answered: 3, model_error: 1 });
  away = false;
  expect((await runEvaluation({ ...options, retryFailed: false })).endings).toEqual(first.endings);
  expect(server.asked()).toEqual([0, 1, 2, 3]);
  expect((await runEvaluation({ ...options, retryFailed: true })).endings).toEqual({ answered: 4 });
  expect(server.asked()).toEqual([0, 1, 2, 2, 3]);
});

test('a finished evaluation needs no server to be told again', async () => {
  const server = await serve(right);
  const options = await optionsFor(server.url);
  const first = await runEvaluation(options);
  await Promise.all(servers.splice(0).map(({ close }) => close()));
  expect({ ...(await runEvaluation(options)), seconds: 0 }).toEqual({ ...first, seconds: 0 });
});

test('single samples are asked without touching the figures', async () => {
  const server = await serve(right);
  const options = await optionsFor(server.url);
  const result = await runEvaluation({ ...options, samples: ['test-2'] });
  expect(result.slices[0]).toMatchObject({ samples: 1 });
  expect(server.asked()).toEqual([2]);
  await expect(readFile(join(outputDir, 'result.json'))).rejects.toThrow('ENOENT');
  await runEvaluation(options);
  expect(server.asked()).toEqual([0, 1, 2, 3]);
  await expect(runEvaluation({ ...options, samples: ['test-9', 'test-1', 'x'] })).rejects.toMatchObject({
    type: 'config',
    message: expect.stringMatching(/ named test-9, x$/),
  });
  await expect(runEvaluation({ ...options, limit: 1, samples: ['test-1'] })).rejects.toThrow(
    'none named test-1 among its first 1 rows',
  );
});

test('drained, it finishes what is in flight, begins no more, and goes on later', async () => {
  const drain = new AbortController();
  const server = await serve((index) => {
    if (index === 1) drain.abort();
    return right(index);
  });
  const options = await optionsFor(server.url);
  await expect(runEvaluation({ ...options, drain: drain.signal })).rejects.toMatchObject({
    type: 'cancelled',
    message: expect.stringContaining('2 of 4'),
  });
  expect(server.asked()).toEqual([0, 1]);
  // What earlier runs have is not looked at any more, and not counted.
  await expect(runEvaluation({ ...options, drain: AbortSignal.abort() })).rejects.toThrow(
    /0 of 4 episodes in this run/,
  );
  expect((await runEvaluation(options)).endings).toEqual({ answered: 4 });
  expect(server.asked()).toEqual([0, 1, 2, 3]);
});

test('graded anew by another judge, the model is not asked, and the earlier journal is kept', async () => {
  const server = await serve(right);
  const options = await optionsFor(server.url);
  await runEvaluation(options);
  const before = await readFile(join(outputDir, 'journal.jsonl'));
  const strict = {
    ...options,
    scoring: 'strict',
    grade: async () => ({ verdict: 'wrong', decidedBy: 'judge', reason: 'strict' }) as const,
  };
  await expect(runEvaluation(strict)).rejects.toMatchObject({
    type: 'config',
    message: expect.stringContaining('scoring'),
  });
  const result = await runEvaluation({ ...strict, rejudge: true });
  expect(result).toMatchObject({ verdicts: { wrong: 4 }, judgeDecided: 4, fingerprint: { scoring: 'strict' } });
  expect(server.asked()).toEqual([0, 1, 2, 3]);
  expect((await readFile(join(outputDir, 'journal.jsonl.previous'))).equals(before)).toBe(true);
  const warm = { ...strict, rejudge: true, sampling: { ...options.sampling, temperature: 1 } };
  await expect(runEvaluation(warm)).rejects.toMatchObject({ type: 'config' });
});

test('an interruption ends the grading too, and leaves the journal as it was', async () => {
  const server = await serve(right);
  const options = await optionsFor(server.url);
  await runEvaluation(options);
  const before = await readFile(join(outputDir, 'journal.jsonl'));
  const interrupt = new AbortController();
  let graded = 0;
  const grade = async () => {
    graded += 1;
    interrupt.abort();
    return { verdict: 'wrong', decidedBy: 'judge', reason: 'strict' } as const;
  };
  const again = { ...options, scoring: 'strict', rejudge: true, concurrency: 1, drain: interrupt.signal, grade };
  await expect(runEvaluation(again)).rejects.toMatchObject({ type: 'cancelled' });
  expect(graded).toBe(1);
  expect((await readFile(join(outputDir, 'journal.jsonl'))).equals(before)).toBe(true);
});

test("the row's own prompt is asked where that is wanted, and is another fingerprint", async () => {
  const server = await serve(right);
  const options = await optionsFor(server.url);
  const result = await runEvaluation({ ...options, prompt: 'dataset' });
  expect(result.fingerprint.prompt).toBe('dataset');
  const [message, ...others] = server.requests[0]?.messages ?? [];
  expect(others).toEqual([]);
  expect(message).toMatchObject({
    role: 'user',
    content: [{ type: 'image_url' }, { type: 'text', text: 'What is 0?' }],
  });
  await expect(runEvaluation(options)).rejects.toMatchObject({
    type: 'config',
    message: expect.stringContaining('prompt: "dataset" → "protocol"'),
  });
});
