import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openJudge } from '../../scoring/judge/judge-client.ts';
import { createRequestLimit } from '../../scoring/judge/request-limit.ts';
import { answerStatus } from '../episodes/scripted-server.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { judgeOf, question, right } from './judge-server.ts';

test('asks at temperature 0 and takes the verdict', async () => {
  const { judge, server } = await judgeOf(() => right);
  expect(await judge(question)).toEqual({
    verdict: 'correct',
    decidedBy: 'judge',
    reason: 'the same animal',
    cached: false,
  });
  expect(server.requests[0]).toMatchObject({ model: 'judge', temperature: 0 });
});

test('a decided question is not asked again, by this judge or by a later one', async () => {
  const { judge, cacheDir, server } = await judgeOf(() => right);
  const first = await judge(question);
  const known = { ...first, cached: true };
  expect(await judge(question)).toEqual(known);
  const later = openJudge({ url: server.url, model: 'judge', cacheDir }).judge;
  expect(await later(question)).toEqual(known);
  expect(server.requests).toHaveLength(1);
});

test('a second scoring of many answers takes all from the cache, those the judge could not tell as well', async () => {
  const replies = [right, '{"verdict":"wrong"}', '{"verdict":"cannot tell","reason":"too dark"}'];
  const { cacheDir, server } = await judgeOf((count) => replies[count % replies.length] ?? right);
  const scoreAll = async () => {
    const client = openJudge({ url: server.url, model: 'judge', cacheDir, hedge: false });
    const answers = Array.from({ length: 60 }, (_, index) => ({ ...question, answer: `animal number ${index}` }));
    return { grades: await Promise.all(answers.map(client.judge)), stats: client.stats() };
  };
  const first = await scoreAll();
  const second = await scoreAll();
  expect(second.grades).toEqual(first.grades.map((grade) => ({ ...grade, cached: true })));
  expect(first.stats).toMatchObject({ questions: 60, requests: 60, cached: 0 });
  expect(second.stats).toMatchObject({ questions: 60, requests: 0, cached: 60 });
  expect(server.requests).toHaveLength(60);
});

test('another answer, another prompt or another judge is another question', async () => {
  const { judge, cacheDir, server } = await judgeOf(() => right);
  await judge(question);
  await judge({ ...question, answer: 'a dog' });
  await judge({ ...question, kind: 'ocr' });
  await openJudge({ url: server.url, model: 'judge', id: 'the judge of next year', cacheDir }).judge(question);
  expect(server.requests).toHaveLength(4);
  expect(new Set(server.requests.map(({ messages }) => messages[0]?.content)).size).toBe(2);
});

test('the same question from many episodes at once is asked once and kept once', async () => {
  const { judge, cacheDir, server } = await judgeOf(async () => {
    await delay(20);
    return right;
  });
  const grades = await Promise.all(Array.from({ length: 16 }, () => judge(question)));
  expect(new Set(grades.map(({ verdict }) => verdict))).toEqual(new Set(['correct']));
  expect(server.requests).toHaveLength(1);
  expect((await readFile(join(cacheDir, 'verdicts.jsonl'), 'utf8')).match(/\n/g)).toHaveLength(1);
});

test('a torn cache file costs one more question', async () => {
  const { judge, cacheDir, server } = await judgeOf(() => right);
  await judge(question);
  await writeFile(join(cacheDir, 'verdicts.jsonl'), '{"checksum":"8c736521","entry":{"key":"');
  expect((await judge(question)).verdict).toBe('correct');
  expect(server.requests).toHaveLength(2);
});

test('a verdict counts also where the cache cannot be written', async () => {
  const file = join(await temporaryFolder(), 'a file and no folder');
  await writeFile(file, '');
  const { client } = await judgeOf(() => right, { cacheDir: file });
  expect((await client.judge(question)).verdict).toBe('correct');
  expect(client.stats().unkept).toBe(1);
});

test('a judge that cannot tell is judge_failed and says why', async () => {
  const { judge } = await judgeOf(() => '{"verdict":"cannot tell","reason":"too dark"}');
  expect(await judge(question)).toEqual({
    verdict: 'judge_failed',
    decidedBy: 'none',
    reason: 'the judge cannot tell: too dark',
    cached: false,
  });
});

test('no more questions are in flight than allowed', async () => {
  let inFlight = 0;
  let most = 0;
  const { judge } = await judgeOf(
    async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await delay(10);
      inFlight -= 1;
      return right;
    },
    { maxInFlight: 3 },
  );
  await Promise.all(Array.from({ length: 20 }, (_, index) => judge({ ...question, answer: `answer ${index}` })));
  expect(most).toBe(3);
});

test('requests are spaced so that no more are sent a minute than allowed', async () => {
  const limit = createRequestLimit({ maxInFlight: 100, perMinute: 1200 });
  const began = performance.now();
  const entered = await Promise.all(
    Array.from({ length: 30 }, () => limit.enter().then(() => performance.now() - began)),
  );
  // A second's worth, 20, may come at once; each of the ten after them 50 ms later.
  for (const [index, ms] of entered.entries()) expect(ms).toBeGreaterThanOrEqual(50 * index - 950 - 1);
});

test('retries count as requests of the minute', async () => {
  const times: number[] = [];
  const { judge } = await judgeOf(
    () => {
      times.push(performance.now());
      return answerStatus(500);
    },
    { requestsPerMinute: 60, attempts: 2, pauseMs: 1 },
  );
  const began = performance.now();
  await judge(question);
  expect(times).toHaveLength(2);
  expect((times[1] ?? 0) - began).toBeGreaterThanOrEqual(999);
});
