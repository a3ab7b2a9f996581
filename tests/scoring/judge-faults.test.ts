import { readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { openJudge } from '../../scoring/judge/judge-client.ts';
import { createOutageBreaker } from '../../scoring/judge/outage-breaker.ts';
import { answerStatus, completion } from '../episodes/scripted-server.ts';
import { judgeOf, question, right, startJudgeServer, wrong } from './judge-server.ts';

const asModel = (model: string, content: string) =>
  answerStatus(200, JSON.stringify({ ...JSON.parse(completion(content)), model }));

test('an outage is judge_failed after all attempts, is not kept, and is asked anew later', async () => {
  const { judge, cacheDir, server } = await judgeOf((count) => (count <= 2 ? answerStatus(503) : right), {
    attempts: 2,
  });
  expect(await judge(question)).toMatchObject({
    verdict: 'judge_failed',
    decidedBy: 'none',
    reason: expect.stringContaining('503'),
  });
  expect(server.requests).toHaveLength(2);
  await expect(readdir(cacheDir)).rejects.toThrow('ENOENT');
  expect((await judge(question)).verdict).toBe('correct');
});

test('a judge that nobody serves is judge_failed', async () => {
  const { judge, server } = await judgeOf(() => right);
  await server.close();
  expect(await judge(question)).toMatchObject({
    verdict: 'judge_failed',
    reason: expect.stringContaining('did not answer'),
  });
});

test.each([408, 429, 500, 502, 503])('%i passes: it is asked again within the attempts', async (status) => {
  const { judge, server, client } = await judgeOf((count) => (count === 1 ? answerStatus(status) : right));
  expect((await judge(question)).verdict).toBe('correct');
  expect(server.requests).toHaveLength(2);
  expect(client.stats()).toMatchObject({ requests: 2, retries: 1 });
});

test('a connection that breaks is asked again', async () => {
  const { judge } = await judgeOf((count) => (count === 1 ? (response) => void response.destroy() : right));
  expect((await judge(question)).verdict).toBe('correct');
});

test('a server that fails fast does not draw the attempts of a question to itself', async () => {
  const broken = await startJudgeServer(() => answerStatus(500));
  const whole = await startJudgeServer(() => right);
  const { judge } = openJudge({ url: [broken.url, whole.url], model: 'judge', pauseMs: 5, attempts: 2 });
  const answers = Array.from({ length: 40 }, (_, index) => `a cat, ${index}`);
  const grades = await Promise.all(answers.map((answer) => judge({ ...question, answer })));
  expect(grades.filter(({ verdict }) => verdict !== 'correct')).toEqual([]);
});

test.each([
  [401, 'API key'],
  [403, 'API key'],
  [404, "model's name"],
  [307, 'a redirect to'],
])('%i ends it at once, for this and for every further question', async (status, hint) => {
  const { judge, server } = await judgeOf(() => answerStatus(status));
  const grades = [await judge(question), await judge({ ...question, answer: 'a dog' })];
  for (const grade of grades)
    expect(grade).toMatchObject({ verdict: 'judge_failed', reason: expect.stringContaining(hint) });
  expect(server.requests).toHaveLength(1);
});

test('400 ends this question at once and no other', async () => {
  const { judge, server } = await judgeOf((count) => (count === 1 ? answerStatus(400) : right));
  expect(await judge(question)).toMatchObject({ verdict: 'judge_failed', reason: expect.stringContaining('400') });
  expect(server.requests).toHaveLength(1);
  expect((await judge({ ...question, answer: 'a cat' })).verdict).toBe('correct');
});

test('Retry-After is kept', async () => {
  const times: number[] = [];
  const { judge } = await judgeOf((count) => {
    times.push(performance.now());
    return count === 1 ? answerStatus(429, '{}', { 'retry-after': '0.3' }) : right;
  });
  expect((await judge(question)).verdict).toBe('correct');
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(290);
});

test('a Retry-After of 0 is no reason to ask without a pause', async () => {
  const busy = answerStatus(429, '{}', { 'retry-after': '0' });
  const { judge } = await judgeOf((count) => (count === 1 ? busy : right), { pauseMs: 200 });
  const started = performance.now();
  expect((await judge(question)).verdict).toBe('correct');
  expect(performance.now() - started).toBeGreaterThan(95);
});

test('a pause that is longer than the question may take ends it without a wait', async () => {
  const { judge, server } = await judgeOf(() => answerStatus(429, '{}', { 'retry-after': '3600' }));
  expect(await judge(question)).toMatchObject({
    verdict: 'judge_failed',
    reason: expect.stringContaining('wait longer'),
  });
  expect(server.requests).toHaveLength(1);
});

test('while one server asks for a pause, another one answers', async () => {
  const busy = await startJudgeServer(() => answerStatus(429, '{}', { 'retry-after': '3600' }));
  const free = await startJudgeServer(() => right);
  const { judge } = openJudge({ url: [busy.url, free.url], model: 'judge', pauseMs: 5 });
  const grades = await Promise.all(
    Array.from({ length: 12 }, (_, index) => judge({ ...question, answer: `answer ${index}` })),
  );
  expect(new Set(grades.map(({ verdict }) => verdict))).toEqual(new Set(['correct']));
});

test.each<[string, (response: ServerResponse) => void]>([
  ['headers that never come', () => undefined],
  [
    'a body that never ends',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"choices":[');
    },
  ],
  [
    'a body that drips',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    },
  ],
])('the deadline covers %s', async (_, step) => {
  const { judge } = await judgeOf(() => step, { timeoutMs: 200, attempts: 1 });
  expect((await judge(question)).verdict).toBe('judge_failed');
});

test('a question with its retries ends at its deadline', async () => {
  const { judge, server } = await judgeOf(() => () => undefined, { timeoutMs: 100, deadlineMs: 250, attempts: 1000 });
  expect((await judge(question)).verdict).toBe('judge_failed');
  expect(server.requests.length).toBeLessThan(10);
});

test('a server that lists another model is not asked at all', async () => {
  const server = await startJudgeServer(() => right, 'something-smaller');
  const { judge } = openJudge({ url: server.url, model: 'judge' });
  expect(await judge(question)).toMatchObject({
    verdict: 'judge_failed',
    reason: expect.stringContaining('something-smaller'),
  });
  expect(server.requests).toHaveLength(0);
});

test('a server that lists the model and replies as another one gives no verdict, now or later', async () => {
  const { judge, server } = await judgeOf(() => asModel('something-smaller', right));
  expect((await judge(question)).verdict).toBe('judge_failed');
  expect((await judge({ ...question, answer: 'a dog' })).verdict).toBe('judge_failed');
  expect(server.requests).toHaveLength(1);
});

test('a dated release of the model is the model', async () => {
  const { judge } = await judgeOf(() => asModel('judge-2030-01-31', right));
  expect((await judge(question)).verdict).toBe('correct');
});

test('another name of the same weights is the model, another model of the same server is not', async () => {
  const ask = async (root?: string) => {
    const facts = { model: 'judge', otherNames: ['Qwen2.5-72B'], ...(root === undefined ? {} : { root }) };
    const server = await startJudgeServer(() => asModel('Qwen2.5-72B', right), facts);
    return openJudge({ url: server.url, model: 'judge' }).judge(question);
  };
  expect((await ask('/models/qwen')).verdict).toBe('correct');
  expect((await ask()).verdict).toBe('judge_failed');
});

test('of several servers the one that lies is left out, and the others decide', async () => {
  const liar = await startJudgeServer(() => asModel('something-smaller', right));
  const honest = await startJudgeServer(() => asModel('judge', wrong));
  const { judge } = openJudge({ url: [liar.url, honest.url], model: 'judge', attempts: 1 });
  const grades = await Promise.all(
    Array.from({ length: 10 }, (_, index) => judge({ ...question, answer: `answer ${index}` })),
  );
  expect(new Set(grades.map(({ verdict }) => verdict))).toEqual(new Set(['wrong']));
});

test('a server that comes back as another model is found out', async () => {
  const facts = { model: 'judge' };
  const server = await startJudgeServer((_, count) => {
    if (count === 1) return right;
    facts.model = 'something-smaller';
    return answerStatus(503);
  }, facts);
  const { judge } = openJudge({ url: server.url, model: 'judge', pauseMs: 5 });
  expect((await judge(question)).verdict).toBe('correct');
  expect(await judge({ ...question, answer: 'a dog' })).toMatchObject({
    verdict: 'judge_failed',
    reason: expect.stringContaining('something-smaller'),
  });
  expect(server.requests).toHaveLength(2);
});

test('an answer that does not end is given up', async () => {
  const { judge } = await judgeOf(() => answerStatus(200, 'x'.repeat(2 * 1024 * 1024)), { attempts: 1 });
  expect(await judge(question)).toMatchObject({ verdict: 'judge_failed', reason: expect.stringContaining('bytes') });
});

test('a server that is absent for a while is waited for, and that is no attempt', async () => {
  const { client, server } = await judgeOf((count) => (count <= 6 ? answerStatus(503) : right), {
    attempts: 1,
    awayMs: 10_000,
  });
  expect((await client.judge(question)).verdict).toBe('correct');
  expect(server.requests).toHaveLength(7);
});

test('while it is away, further questions end at once', async () => {
  const { client, server } = await judgeOf(() => answerStatus(500), { attempts: 2, maxInFlight: 4 });
  const grades = await Promise.all(
    Array.from({ length: 100 }, (_, index) => client.judge({ ...question, answer: `answer ${index}` })),
  );
  expect(new Set(grades.map(({ verdict }) => verdict))).toEqual(new Set(['judge_failed']));
  // Eight outages in a row, those that were in flight then, and nothing more.
  expect(server.requests.length).toBeLessThanOrEqual(2 * (8 + 4));
  expect(grades.at(-1)?.reason).toContain('tried again later');
});

test('after a pause one question tries whether the judge is back', () => {
  let now = 0;
  const breaker = createOutageBreaker(() => now);
  for (let count = 0; count < 8; count += 1) {
    expect(breaker.refusal()).toBeUndefined();
    breaker.outage('away');
  }
  expect(breaker.refusal()).toContain('away');
  now = 30_000;
  expect(breaker.refusal()).toBeUndefined();
  expect(breaker.refusal()).toContain('away');
  breaker.outage('still away');
  expect(breaker.refusal()).toContain('still away');
  now = 60_000;
  expect(breaker.refusal()).toBeUndefined();
  breaker.answered();
  expect([breaker.refusal(), breaker.refusal()]).toEqual([undefined, undefined]);
});

test('an abort ends what is being asked', async () => {
  const stop = new AbortController();
  const { judge } = await judgeOf(
    () => () => {
      stop.abort();
    },
    { signal: stop.signal },
  );
  expect((await judge(question)).verdict).toBe('judge_failed');
});

test('a reply that was cut off is no verdict', async () => {
  const cut = { ...JSON.parse(completion(right)) };
  cut.choices[0].finish_reason = 'length';
  const { judge } = await judgeOf(() => answerStatus(200, JSON.stringify(cut)));
  const grade = await judge(question);
  expect(grade).toMatchObject({ verdict: 'judge_failed', reason: expect.stringContaining('cut off') });
  expect(grade.reason).not.toContain('thinking');
});

const replyOf = (message: object, finish_reason: string) =>
  answerStatus(200, JSON.stringify({ choices: [{ message, finish_reason }] }));

test.each<[string, object, string, string]>([
  ['is cut off in its thoughts', { content: '<think>Let me see' }, 'length', 'with its thinking turned off'],
  ['is cut off in thoughts of its own', { content: null, reasoning: 'Let' }, 'length', 'with its thinking turned off'],
  ['has all in its reasoning', { content: null, reasoning_content: right }, 'stop', 'without a reasoning parser'],
])('of a judge whose reply %s it is said how it has to be served', async (_, message, finish, hint) => {
  const { judge, server } = await judgeOf(() => replyOf(message, finish));
  expect(await judge(question)).toMatchObject({ verdict: 'judge_failed', reason: expect.stringContaining(hint) });
  expect(server.requests).toHaveLength(1);
});

test('what one of several servers rejects another one answers, and it is told once', async () => {
  const broken = await startJudgeServer(() => answerStatus(400));
  const whole = await startJudgeServer(() => right);
  const told: string[] = [];
  const onNote = (note: string): void => void told.push(note);
  const { judge } = openJudge({ url: [broken.url, whole.url], model: 'judge', attempts: 1, onNote });
  const grades = await Promise.all(
    Array.from({ length: 20 }, (_, index) => judge({ ...question, answer: `answer ${index}` })),
  );
  expect(new Set(grades.map(({ verdict }) => verdict))).toEqual(new Set(['correct']));
  expect(told).toEqual([expect.stringMatching(`^${broken.url} fails .* answered 400`)]);
});

test('what every server rejects is judge_failed in the words of each, after one request to each', async () => {
  const [first, second] = [
    await startJudgeServer(() => answerStatus(400)),
    await startJudgeServer(() => answerStatus(422)),
  ];
  const { judge } = openJudge({ url: [first.url, second.url], model: 'judge' });
  const grade = await judge(question);
  expect(grade).toMatchObject({ verdict: 'judge_failed', decidedBy: 'none' });
  expect(grade.reason).toContain(`${first.url}/chat/completions answered 400`);
  expect(grade.reason).toContain(`${second.url}/chat/completions answered 422`);
  expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
});
