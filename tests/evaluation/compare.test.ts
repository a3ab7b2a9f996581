import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareEvaluations } from '../../evaluation/compare.ts';
import type { EvaluationOptions } from '../../evaluation/evaluation-options.ts';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { codeTurn } from '../episodes/play.ts';
import { type Step, startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex, evaluationOptions, writeDigitSet } from './digit-set.ts';

let dir: string;
let dataset: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-compare-'));
  dataset = await writeDigitSet(dir, 20);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const evaluate = async (
  model: string,
  next: (index: number, turn: number) => Step,
  given: Partial<EvaluationOptions> = {},
): Promise<string> => {
  const server = await startScriptedServer((request) => next(askedIndex(request), (request.messages.length + 1) / 2));
  const outputDir = join(dir, model);
  try {
    await runEvaluation(
      await evaluationOptions({
        dataset,
        outputDir,
        endpoints: [server.url],
        model,
        modelDigest: `sha256:${model}`,
        ...given,
      }),
    );
  } finally {
    await server.close();
  }
  return outputDir;
};

test('two models are compared sample by sample', async () => {
  // The first calls the tool once each time and has 0..9 right; the second never calls it and has 2..17 right.
  const first = await evaluate('first', (index, turn) =>
    turn === 1 ? codeTurn('print(8)') : `<answer>${index < 10 ? index : -1}</answer>`,
  );
  const second = await evaluate('second', (index) => `<answer>${index >= 2 && index < 18 ? index : -1}</answer>`);
  const comparison = await compareEvaluations(first, second);
  expect(comparison).toMatchObject({ family: 'all', samples: 20, onlyFirst: 2, onlySecond: 8 });
  expect(comparison.accuracy.difference).toBeCloseTo(0.3, 12);
  // 2 * (1 + 10 + 45) / 2 ** 10
  expect(comparison.accuracy.p).toBeCloseTo(0.109375, 12);
  expect(comparison.accuracy.low).toBeLessThan(0.3);
  expect(comparison.accuracy.high).toBeGreaterThan(0.3);
  expect(comparison.toolCalls).toEqual({ difference: -1, low: -1, high: -1 });
  expect(comparison.slices.map(({ family, transform, samples }) => [family, transform, samples])).toEqual([
    ['all', 'all', 20],
    ['orient', 'all', 10],
    ['sum', 'all', 10],
    ['orient', 'identity', 5],
    ['orient', 'rotate_90', 5],
    ['sum', 'identity', 10],
  ]);
});

test('each attempt is compared with the same attempt of the other model', async () => {
  const settings = { limit: 4, attempts: 2, concurrency: 1 };
  let asked = 0;
  const alternating = (index: number): Step => {
    asked += 1;
    return `<answer>${asked % 2 === 0 ? index : -1}</answer>`;
  };
  const first = await evaluate('first-twice', alternating, settings);
  const second = await evaluate('second-twice', alternating, settings);
  expect(await compareEvaluations(first, second)).toMatchObject({ samples: 8, onlyFirst: 0, onlySecond: 0 });
});

test('attempts that are all alike say no more than one of them', async () => {
  const settings = { limit: 12 };
  const first = (index: number): Step => `<answer>${index < 2 ? index : -1}</answer>`;
  const second = (index: number): Step => `<answer>${index < 8 ? index : -1}</answer>`;
  const once = await compareEvaluations(
    await evaluate('first-once', first, settings),
    await evaluate('second-once', second, settings),
  );
  const { samples, accuracy, toolCalls } = await compareEvaluations(
    await evaluate('first-thrice', first, { ...settings, attempts: 3 }),
    await evaluate('second-thrice', second, { ...settings, attempts: 3 }),
  );
  expect(samples).toBe(36);
  // 2 / 2 ** 6
  expect(accuracy.p).toBeCloseTo(0.03125, 12);
  expect(accuracy.low).toBeCloseTo(once.accuracy.low, 12);
  expect(accuracy.high).toBeCloseTo(once.accuracy.high, 12);
  expect(toolCalls).toEqual(once.toolCalls);
});

test('evaluations that are not alike are refused', async () => {
  const answer = (index: number): Step => `<answer>${index}</answer>`;
  const whole = await evaluate('whole', answer);
  const short = await evaluate('short', answer, { limit: 5 });
  const warm = await evaluate('warm', answer, { sampling: { temperature: 1, topP: 1, maxTokens: 64, seed: null } });
  await expect(compareEvaluations(whole, short)).rejects.toMatchObject({ type: 'data' });
  await expect(compareEvaluations(whole, warm)).rejects.toMatchObject({
    type: 'config',
    message: expect.stringContaining('temperature'),
  });
  await expect(compareEvaluations(whole, join(dir, 'nothing'))).rejects.toMatchObject({ type: 'data' });
});
