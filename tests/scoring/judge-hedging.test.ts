import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createHedgeDelay } from '../../scoring/judge/hedge-delay.ts';
import { hedged } from '../../scoring/judge/hedged.ts';
import { openJudge } from '../../scoring/judge/judge-client.ts';
import { answerStatus, type Step } from '../episodes/scripted-server.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { judgeOf, question, quoted, right, startJudgeServer, wrong } from './judge-server.ts';

const answers = (count: number, name = 'answer') =>
  Array.from({ length: count }, (_, index) => ({ ...question, answer: `${name} ${index}` }));

/** As many answers as tell the usual times, and none more: until then nothing is hedged, on a busy machine either. */
const warmUp = answers(20);

const lateAnswer = { ...question, answer: 'late' };

/** A judge that knows its usual times: quick questions lie behind it. */
const warmJudge = async (late: (count: number) => Promise<Step>, hedge = true) => {
  let slow = 0;
  const server = await startJudgeServer((request) =>
    quoted(request, 'given').startsWith('late') ? late(++slow) : right,
  );
  const cacheDir = await temporaryFolder();
  const client = openJudge({ url: server.url, model: 'judge', cacheDir, timeoutMs: 20_000, pauseMs: 5, hedge });
  for (const asked of warmUp) await client.judge(asked);
  return { client, late: () => slow };
};

test('a late question is sent once more, and the first verdict counts once', async () => {
  const { client, late } = await warmJudge(async (count) => {
    if (count > 1) return wrong;
    await delay(5000);
    return right;
  });
  const before = client.stats();
  expect(await client.judge(lateAnswer)).toMatchObject({ verdict: 'wrong', decidedBy: 'judge' });
  expect(await client.judge(lateAnswer)).toMatchObject({ verdict: 'wrong', decidedBy: 'judge' });
  expect(late()).toBe(2);
  const { questions, requests, hedges, cached } = client.stats();
  expect(questions - before.questions).toBe(2);
  expect(requests - before.requests).toBe(2);
  expect(hedges - before.hedges).toBe(1);
  expect(cached - before.cached).toBe(1);
});

test('a hedge that fails leaves the first to answer', async () => {
  let tellOfHedge: () => void = () => undefined;
  const hedgeCame = new Promise<void>((resolve) => {
    tellOfHedge = resolve;
  });
  const { client, late } = await warmJudge(async (count) => {
    if (count > 1) {
      tellOfHedge();
      return answerStatus(500);
    }
    await hedgeCame;
    await delay(100);
    return right;
  });
  const { retries } = client.stats();
  expect(await client.judge(lateAnswer)).toMatchObject({ verdict: 'correct' });
  expect(late()).toBe(2);
  expect(client.stats().retries).toBe(retries);
});

test('a server that became slow for everybody gets few hedges', async () => {
  const { client } = await warmJudge(async () => {
    await delay(100);
    return right;
  });
  const grades = await Promise.all(answers(60, 'late').map(client.judge));
  expect(new Set(grades.map(({ verdict }) => verdict))).toEqual(new Set(['correct']));
  // A tenth of 80 questions.
  expect(client.stats().hedges).toBeLessThanOrEqual(8);
});

test('without hedging a question is sent once', async () => {
  const { client, late } = await warmJudge(async () => {
    await delay(200);
    return right;
  }, false);
  await Promise.all(answers(5, 'late').map(client.judge));
  expect(late()).toBe(5);
});

test('the hedge goes to another server where there is one', async () => {
  const stuck = await startJudgeServer(async (request) => {
    if (quoted(request, 'given').startsWith('late')) await delay(5000);
    return right;
  });
  const quick = await startJudgeServer(() => wrong);
  const client = openJudge({ url: [stuck.url, quick.url], model: 'judge', timeoutMs: 20_000 });
  for (const asked of warmUp) await client.judge(asked);
  expect((await client.judge(lateAnswer)).verdict).toBe('wrong');
  expect(quick.requests.map((request) => quoted(request, 'given'))).toContain('late');
});

test('nobody is late before twenty requests have come back; then the 95th percentile says it', () => {
  const times = createHedgeDelay();
  for (let index = 1; index <= 19; index += 1) times.took(index);
  expect(times.begin()).toBeNull();
  times.took(20);
  // Of 1 to 20, floor(0.95 * 20) = 19 is the index of the largest.
  expect(times.begin()).toBe(20);
  for (let index = 21; index <= 100; index += 1) times.took(index);
  expect(times.begin()).toBe(96);
});

test('the first good answer counts, and the other request is given up', async () => {
  let givenUp = false;
  const answer = await hedged<string>(
    async (signal) => {
      await delay(5000, undefined, { signal }).catch(() => {
        givenUp = true;
      });
      return 'first';
    },
    () => async () => 'second',
    { afterMs: 5, isGood: () => true, signal: new AbortController().signal },
  );
  expect(answer).toBe('second');
  await delay(5);
  expect(givenUp).toBe(true);
});

test('where both are bad, the last one says why', async () => {
  const answer = await hedged<string>(
    async () => {
      await delay(30);
      return 'first is bad';
    },
    () => async () => 'second is bad',
    { afterMs: 5, isGood: () => false, signal: new AbortController().signal },
  );
  expect(answer).toBe('first is bad');
});

test('a judge without history asks once, however slow it is', async () => {
  const { client, server } = await judgeOf(async () => {
    await delay(300);
    return right;
  });
  await client.judge(question);
  expect(server.requests).toHaveLength(1);
});

test('a request that throws ends it, and nothing waits', async () => {
  const broken = hedged<string>(
    async () => {
      throw new Error('a fault of ours');
    },
    () => undefined,
    { afterMs: null, isGood: () => true, signal: new AbortController().signal },
  );
  await expect(broken).rejects.toThrow('a fault of ours');
});
