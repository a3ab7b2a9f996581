import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Episode } from '../../domain/episode.ts';
import type { Grade } from '../../domain/verdict.ts';
import type { EvaluationOptions } from '../../evaluation/evaluation-options.ts';
import type { SampleEntry } from '../../evaluation/journal-entry.ts';
import type { EvaluationProgress } from '../../evaluation/progress-counter.ts';
import { readJournal } from '../../evaluation/read-journal.ts';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex, evaluationOptions, writeDigitSet } from './digit-set.ts';

const right: Grade = { verdict: 'correct', decidedBy: 'judge', reason: 'the same' };
const cannotTell: Grade = { verdict: 'judge_failed', decidedBy: 'none', reason: 'the judge is away' };

let dir: string;
let server: Awaited<ReturnType<typeof startScriptedServer>>;
let options: EvaluationOptions;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-slow-judge-'));
  server = await startScriptedServer((request) => `<answer>${askedIndex(request)}</answer>`);
  const dataset = await writeDigitSet(dir, 6);
  const outputDir = join(dir, 'out');
  options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], concurrency: 2 });
});
afterEach(async () => {
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

/** A judge that is asked and says nothing until it is told to. */
const silentJudge = () => {
  const decision = Promise.withResolvers<Grade>();
  const asked: string[] = [];
  const grade = ({ task }: Episode): Promise<Grade> => {
    asked.push(task.sampleId);
    return decision.promise;
  };
  return { asked, grade, decide: decision.resolve, fail: decision.reject };
};

const journalled = async (): Promise<SampleEntry[]> => {
  const entries: SampleEntry[] = [];
  const onSample = (entry: SampleEntry) => void entries.push(entry);
  await readJournal(join(options.outputDir, 'journal.jsonl'), { onHeader: () => undefined, onSample });
  return entries;
};

test('while the judge decides the model is asked on, for as many episodes again and no more', async () => {
  const judge = silentJudge();
  let progress: EvaluationProgress | undefined;
  const onProgress = (now: EvaluationProgress) => {
    progress = now;
  };
  const run = runEvaluation({ ...options, grade: judge.grade, onProgress, tickMs: 20 });
  // Two with a place, and two that wait beside.
  await vi.waitFor(() => expect(progress).toMatchObject({ inFlight: 4, judged: 4, done: 0 }), 10_000);
  await delay(500);
  expect(server.requests.map(askedIndex).sort()).toEqual([0, 1, 2, 3]);
  judge.decide(right);
  expect(await run).toMatchObject({ verdicts: { correct: 6 }, judgeDecided: 6 });
  expect(progress).toMatchObject({ inFlight: 0, judged: 0, done: 6, finished: 6 });
  expect((await journalled()).map(({ grade }) => grade.verdict).sort()).toEqual([
    ...Array<string>(6).fill('correct'),
    ...Array<string>(4).fill('judge_failed'),
  ]);
});

test('an evaluation that ends before the judge has decided asks the judge again, and not the model', async () => {
  const judge = silentJudge();
  const abort = new AbortController();
  const cancelled = runEvaluation({ ...options, grade: judge.grade, signal: abort.signal });
  cancelled.catch(() => undefined);
  await vi.waitFor(async () => expect(await journalled()).toHaveLength(4), 10_000);
  // As a crash would leave it: nothing more is written.
  const left = await journalled();
  expect(left.map(({ grade }) => grade.reason)).toEqual(
    Array(4).fill('the evaluation ended before the judge had decided'),
  );
  abort.abort();
  judge.fail(abort.signal.reason);
  await expect(cancelled).rejects.toMatchObject({ type: 'cancelled' });
  expect(await journalled()).toEqual(left);

  const grade = async ({ task }: Episode): Promise<Grade> => (task.sampleId === 'test-0' ? cannotTell : right);
  const result = await runEvaluation({ ...options, grade, maxUndecidedShare: 1 });
  expect(result).toMatchObject({ verdicts: { correct: 5, judge_failed: 1 } });
  expect(server.requests.map(askedIndex).sort()).toEqual([0, 1, 2, 3, 4, 5]);
  // What the judge says now stands in the place of what was written for want of it.
  expect((await journalled()).findLast(({ sampleId }) => sampleId === 'test-0')?.grade).toEqual(cannotTell);
});

test('while the judge decides on what an earlier run left ungraded, the model is asked for the rest', async () => {
  await runEvaluation({ ...options, limit: 2, grade: async () => cannotTell, maxUndecidedShare: 1 });
  expect(server.requests.map(askedIndex).sort()).toEqual([0, 1]);
  const judge = silentJudge();
  const run = runEvaluation({ ...options, grade: judge.grade });
  await vi.waitFor(() => expect(server.requests.map(askedIndex).sort()).toEqual([0, 1, 2, 3]), 10_000);
  judge.decide(right);
  expect(await run).toMatchObject({ verdicts: { correct: 6 }, judgeDecided: 6 });
  expect(server.requests.map(askedIndex).sort()).toEqual([0, 1, 2, 3, 4, 5]);
});

test('a grading that fails late ends the evaluation', async () => {
  const judge = silentJudge();
  const run = runEvaluation({ ...options, grade: judge.grade });
  run.catch(() => undefined);
  await vi.waitFor(async () => expect(await journalled()).toHaveLength(4), 10_000);
  judge.fail(new Error('the rules are broken'));
  await expect(run).rejects.toThrow('the rules are broken');
});

test('a verdict that is soon there is written once', async () => {
  await runEvaluation({ ...options, grade: async () => right });
  expect(await journalled()).toHaveLength(6);
});
