import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex, evaluationOptions, writeDigitSet } from './digit-set.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-attempts-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('each sample is asked as often as told, with a seed of its own, and more attempts ask no more than these', async () => {
  const dataset = await writeDigitSet(dir, 4);
  const seeds: string[] = [];
  // Of the seeds 7, 8 and 9 the first finds sample 0 and the others do not; the other samples are always right.
  const server = await startScriptedServer((request) => {
    const index = askedIndex(request);
    seeds.push(`${index}/${request.seed}`);
    return `<answer>${index === 0 && request.seed !== 7 ? 99 : index}</answer>`;
  });
  const sampling = { temperature: 1, topP: 1, maxTokens: 64, seed: 7 };
  const options = await evaluationOptions({ dataset, outputDir: join(dir, 'out'), endpoints: [server.url], sampling });
  try {
    const once = await runEvaluation(options);
    expect(once.slices[0]).toMatchObject({ samples: 4, correct: 4 });
    const thrice = await runEvaluation({ ...options, attempts: 3 });
    expect(thrice.slices[0]).toMatchObject({ samples: 12, correct: 10 });
    // Wilson's interval of 10/3 of 4 samples, by hand: the attempts of a sample are not independent.
    expect(thrice.slices[0]?.low).toBeCloseTo(0.3623, 4);
    expect(thrice.slices[0]?.high).toBeCloseTo(0.9778, 4);
  } finally {
    await server.close();
  }
  expect(seeds.sort()).toEqual([0, 1, 2, 3].flatMap((index) => [7, 8, 9].map((seed) => `${index}/${seed}`)));
});
