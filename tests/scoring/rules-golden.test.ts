import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GoldenAnswer, readGoldenAnswers, ruleOutcome } from '../support/golden-answers.ts';
import { testMathWorker } from '../support/math-worker.ts';

const worker = testMathWorker();
const rows: (GoldenAnswer & { readonly outcome: string; readonly reason: string })[] = [];

beforeAll(async () => {
  for (const row of await readGoldenAnswers()) rows.push({ ...row, ...(await ruleOutcome(row, worker)) });
}, 120_000);

afterAll(() => worker.close());

const told = (some: typeof rows): string[] =>
  some.map(
    ({ kind, reference, reply, verdict, outcome, reason }) =>
      `${kind} ${JSON.stringify(reference)} ${JSON.stringify(reply)}: ${outcome} (${reason}), labelled ${verdict}`,
  );

it('has at least 400 labelled answers of every kind, each with a reason, and none twice', async () => {
  expect(rows.length).toBeGreaterThanOrEqual(400);
  expect(new Set(rows.map(({ kind }) => kind)).size).toBe(10);
  expect(rows.filter(({ why }) => why.length < 3)).toEqual([]);
  const lines = (await readFile(new URL('../golden/answers.jsonl', import.meta.url), 'utf8')).trim().split('\n');
  const keys = lines.map((line) => JSON.stringify({ ...JSON.parse(line), why: '' }));
  expect(new Set(keys).size).toBe(lines.length);
});

it('accepts nothing that is not labelled correct', () => {
  expect(told(rows.filter(({ outcome, verdict }) => outcome === 'correct' && verdict !== 'correct'))).toEqual([]);
});

it('rejects nothing that is not labelled wrong', () => {
  expect(told(rows.filter(({ outcome, verdict }) => outcome === 'wrong' && verdict !== 'wrong'))).toEqual([]);
});

it('takes no tool for away', () => {
  expect(told(rows.filter(({ outcome }) => outcome === 'infra_error'))).toEqual([]);
});

it('leaves at most 3 % of the answers undecided that a reader could compare', () => {
  const decidable = rows.filter(({ verdict }) => verdict === 'correct' || verdict === 'wrong');
  const open = decidable.filter(({ outcome, verdict }) => outcome !== verdict);
  expect(open.length / decidable.length, told(open).join('\n')).toBeLessThanOrEqual(0.03);
});
