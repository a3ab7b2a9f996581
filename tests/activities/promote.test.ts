import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EvaluationRecord } from '../../activities/evaluate-model.ts';
import { openNightly } from '../../activities/open-nightly.ts';
import { promote, promotedFile, promotionRecordSchema } from '../../activities/promote.ts';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { readJson } from '../../processes/atomic-file.ts';
import { codeTurn } from '../episodes/play.ts';
import { startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex, evaluationOptions, writeDigitSet } from '../evaluation/digit-set.ts';
import { artifactAt } from './evaluation-record.ts';
import { testHost, testRun } from './test-host.ts';

const samples = 40;

let dir: string;
let evaluations: Record<'poor' | 'good' | 'slow' | 'quick', EvaluationRecord>;

/** A real journal of a model that has the first `right` samples right and calls the tool in each episode, or never. */
const evaluate = async (dataset: string, model: string, right: number, calls: boolean): Promise<EvaluationRecord> => {
  const outputDir = join(dir, model);
  const server = await startScriptedServer((request) => {
    const index = askedIndex(request);
    const first = request.messages.length === 1;
    return calls && first ? codeTurn('print(8)') : `<answer>${index < right ? index : -1}</answer>`;
  });
  try {
    const result = await runEvaluation(
      await evaluationOptions({ dataset, outputDir, endpoints: [server.url], model, modelDigest: `sha256:${model}` }),
    );
    return { result, artifact: artifactAt('evaluation', outputDir), cached: false };
  } finally {
    await server.close();
  }
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-promote-'));
  const dataset = await writeDigitSet(dir, samples);
  evaluations = {
    poor: await evaluate(dataset, 'poor', 10, true),
    good: await evaluate(dataset, 'good', 30, true),
    slow: await evaluate(dataset, 'slow', 20, true),
    quick: await evaluate(dataset, 'quick', 20, false),
  };
});
afterAll(() => rm(dir, { recursive: true, force: true }));

type Name = keyof typeof evaluations;

const decide = async (sft: Name, rl: Name, promotion: { force?: boolean; tolerance?: number } = {}) => {
  const host = await testHost();
  const run = await testRun(host, { name: 'digits', promotion });
  const checkpoint = { ...artifactAt('checkpoint', join(run.dir, 'checkpoints', 'checkpoint-4')), step: 4 };
  const data = artifactAt('dataset', join(run.dir, 'data'));
  const result = await promote(host)(run, checkpoint, evaluations[sft], evaluations[rl], data);
  const noted = await readJson(join(run.dir, 'promotion.json'), promotionRecordSchema);
  return { host, result, noted };
};

test('a checkpoint that beats SFT by more than the interval is promoted, and a night finds it', async () => {
  const { host, result, noted } = await decide('poor', 'good');
  expect(result).toMatchObject({ decision: 'promoted', record: promotedFile(host, 'digits') });
  expect(result.why).toContain('accuracy 25.0 points → 75.0 points, difference 50.0 points');
  expect(noted).toMatchObject({ decision: 'promoted', accuracy: 0.75, checkpoint: { step: 4 } });
  expect(JSON.parse(await readFile(promotedFile(host, 'digits'), 'utf8'))).toEqual(noted);
  const night = { name: 'digits', workflowId: 'w', execution: 'e', startedAt: '2030-01-01T00:00:00.000Z' };
  expect((await openNightly(host)(night)).promotion).toEqual(noted);
});

test('a checkpoint that is worse is held, and nothing is named as promoted', async () => {
  const { host, result, noted } = await decide('good', 'poor');
  expect(result).toMatchObject({ decision: 'held', record: null });
  expect(noted.decision).toBe('held');
  await expect(readFile(promotedFile(host, 'digits'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the same accuracy with fewer tool calls is a gain, and with more of them is none', async () => {
  expect((await decide('slow', 'quick')).result.decision).toBe('promoted');
  expect((await decide('quick', 'slow')).result.decision).toBe('held');
});

test('fewer tool calls do not make up for a loss of accuracy beyond the tolerance', async () => {
  expect((await decide('good', 'quick')).result.decision).toBe('held');
});

test('a forced promotion says that there was no gain', async () => {
  const { host, result } = await decide('quick', 'slow', { force: true });
  expect(result).toMatchObject({ decision: 'forced', record: promotedFile(host, 'digits') });
  expect(result.why).toMatch(/^no detectable gain over SFT/);
});
