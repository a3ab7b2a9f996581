import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readSpec } from '../../activities/read-run.ts';
import { recordRewardJudge, rewardJudgeFile } from '../../activities/reward-judge.ts';
import { createRunJudges } from '../../activities/run-judges.ts';
import { assertJudgeKeys } from '../../activities/stage-judge.ts';
import type { RunSpecInput } from '../../domain/run-spec.ts';
import { type EpisodeScore, scoreResponseSchema } from '../../domain/score.ts';
import type { RunRef } from '../../domain/stage.ts';
import { listen } from '../../sandbox/listen.ts';
import { scoreApi } from '../../scoring/score-api.ts';
import { startOracle } from '../scoring/judge-oracle.ts';
import { startJudgeServer } from '../scoring/judge-server.ts';
import { episodeOf } from '../support/episodes.ts';
import { testHost, testRun } from './test-host.ts';

const open = { answerKind: 'text', reference: 'a barn owl', question: 'Which bird is it?' } as const;

/** Three episodes of a group: one that a rule decides, and two open answers. */
const group = [episodeOf([], 'a barn owl', open), episodeOf([], 'Tyto alba', open), episodeOf([], 'a sparrow', open)];

const serveJudgeAt = async (run: Pick<RunRef, 'dir'>, url: string, attempt = 1): Promise<void> => {
  const dir = join(run.dir, 'stages', 'serve-judge', `attempt-${attempt}`);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'endpoint.json'), JSON.stringify({ port: Number(new URL(url).port) }));
};

const prepare = async (judge: Partial<RunSpecInput['judge']> = {}) => {
  const host = await testHost();
  const model = join(host.home, 'judge.gguf');
  await writeFile(model, 'weights');
  const run = await testRun(host, { judge: { engine: 'builtin', model, requestSeconds: 1, ...judge } });
  let metricsOf = async (): Promise<string> => '';
  /** A tool server that has just been started. */
  const start = async (judgeSeconds = 20) => {
    const judges = createRunJudges(host, new AbortController().signal, { awayMs: 0, deadlineMs: 3000 });
    const app = scoreApi({ judgeOfRun: async (name) => (await judges(name))?.judge, judgeSeconds });
    const server = await listen(app, { port: 0, hostname: '127.0.0.1' });
    onTestFinished(() => server.close());
    metricsOf = async () => (await fetch(`http://127.0.0.1:${server.port}/v1/score/metrics`)).text();
    return (name: string | undefined = run.run): Promise<Response> =>
      fetch(`http://127.0.0.1:${server.port}/v1/score`, {
        method: 'POST',
        body: JSON.stringify({ reward: 'lensmith', groups: [group], ...(name === '' ? {} : { run: name }) }),
        signal: AbortSignal.timeout(60_000),
      });
  };
  return { host, run, start, metrics: () => metricsOf() };
};

const scoresOf = async (response: Response): Promise<EpisodeScore[]> => {
  expect(response.status).toBe(200);
  return scoreResponseSchema.parse(await response.json()).groups[0] ?? [];
};

const summary = (scores: readonly EpisodeScore[]) =>
  scores.map(({ grade, masked, cached }) => [grade.verdict, grade.decidedBy, masked, cached]);

/** Which of them the judge may still decide. */
const awaiting = (scores: readonly EpisodeScore[]) => scores.map(({ awaitsJudge = false }) => awaitsJudge);

const onlyTheRule = [
  ['correct', 'rule', false, undefined],
  ['judge_failed', 'none', true, undefined],
  ['judge_failed', 'none', true, undefined],
];

test('the judge of a run decides its open answers; another server answers them from the cache', async () => {
  const { run, start, metrics } = await prepare();
  const judge = await startOracle(undefined, 'wrong');
  await serveJudgeAt(run, judge.url);
  const first = summary(await scoresOf(await (await start())()));
  expect(first).toEqual([
    ['correct', 'rule', false, undefined],
    ['wrong', 'judge', false, false],
    ['wrong', 'judge', false, false],
  ]);
  const calls = judge.requests.length;
  const again = summary(await scoresOf(await (await start())()));
  expect(again.map(([, , , cached]) => cached)).toEqual([undefined, true, true]);
  expect(judge.requests).toHaveLength(calls);
  for (const line of [
    'decided_total{by="judge"} 2',
    'decided_total{by="rule"} 1',
    'judge_replies_total{from="cached"} 2',
  ])
    expect(await metrics()).toContain(`lensmith_score_${line}\n`);
});

test('an open answer of a request that names no run is masked', async () => {
  const { run, start } = await prepare();
  await serveJudgeAt(run, (await startOracle()).url);
  expect(summary(await scoresOf(await (await start())('')))).toEqual(onlyTheRule);
});

test('a judge that is down masks what it was needed for, and nothing else', async () => {
  const { run, start } = await prepare();
  const judge = await startOracle();
  await judge.close();
  await serveJudgeAt(run, judge.url);
  const scores = await scoresOf(await (await start())());
  expect(summary(scores)).toEqual(onlyTheRule);
  expect(awaiting(scores)).toEqual([false, true, true]);
  expect(scores[1]).toMatchObject({ terms: {}, reward: 0, masked: true });
});

test('a judge that goes away after its audit masks; what it has said already stays decided', async () => {
  const { run, start } = await prepare();
  const judge = await startOracle(undefined, 'wrong');
  await serveJudgeAt(run, judge.url);
  await scoresOf(await (await start())());
  await judge.close();
  expect(summary(await scoresOf(await (await start())())).map(([verdict]) => verdict)).toEqual([
    'correct',
    'wrong',
    'wrong',
  ]);
});

test('a judge that does not answer in time masks, and the request is answered', async () => {
  const { run, start } = await prepare({ audit: 'off', requestSeconds: 30 });
  const judge = await startJudgeServer(async () => {
    await delay(3000);
    return '{"verdict":"correct","reason":"late"}';
  });
  await serveJudgeAt(run, judge.url);
  const scores = await scoresOf(await (await start(0.3))());
  expect(summary(scores)).toEqual(onlyTheRule);
  expect(awaiting(scores)).toEqual([false, true, true]);
  expect(scores[1]?.grade.reason).toContain('when the time of the request was over');
});

test('a judge that failed its audit decides nothing, and the record of the run says so', async () => {
  const { host, run, start } = await prepare();
  const judge = await startOracle(() => 'correct');
  await serveJudgeAt(run, judge.url);
  const scores = await scoresOf(await (await start())());
  expect(summary(scores)).toEqual(onlyTheRule);
  expect(awaiting(scores)).toEqual([false, false, false]);
  await mkdir(join(run.dir, 'stages', 'rl'), { recursive: true });
  await recordRewardJudge(host, run, await readSpec(run));
  expect(JSON.parse(await readFile(rewardJudgeFile(run), 'utf8'))).toMatchObject({
    judge: { policy: 'required', audit: 'failed', decides: false },
    note: expect.stringMatching(/^refused, .*specificity/),
  });
});

test('forced, it decides', async () => {
  const { run, start } = await prepare({ audit: 'force' });
  await serveJudgeAt(run, (await startOracle(() => 'correct', 'correct')).url);
  expect(summary(await scoresOf(await (await start())())).map(([, by]) => by)).toEqual(['rule', 'judge', 'judge']);
});

test('without any judge the rules alone decide, and the record of the run says so', async () => {
  const { host, run, start } = await prepare({ engine: 'none' });
  const scores = await scoresOf(await (await start())());
  expect(summary(scores)).toEqual(onlyTheRule);
  expect(awaiting(scores)).toEqual([false, false, false]);
  await mkdir(join(run.dir, 'stages', 'rl'), { recursive: true });
  await recordRewardJudge(host, run, await readSpec(run));
  expect(JSON.parse(await readFile(rewardJudgeFile(run), 'utf8'))).toMatchObject({
    judge: null,
    note: expect.stringContaining('rules alone decided'),
  });
});

test('a judge that was started again under another address is found by the same server', async () => {
  const { run, start } = await prepare({ audit: 'off' });
  const first = await startOracle();
  await serveJudgeAt(run, first.url);
  await first.close();
  const score = await start();
  expect(summary(await scoresOf(await score()))).toEqual(onlyTheRule);
  await serveJudgeAt(run, (await startOracle(undefined, 'correct')).url, 2);
  expect(summary(await scoresOf(await score())).map(([, by]) => by)).toEqual(['rule', 'judge', 'judge']);
});

test('an unknown run is refused; one whose judge is not served yet is to come again', async () => {
  const { start } = await prepare();
  const score = await start();
  const unknown = await score('no-such-run');
  expect(unknown.status).toBe(400);
  expect(await unknown.json()).toMatchObject({
    error: { type: 'config', message: expect.stringContaining('no-such') },
  });
  const early = await score();
  expect(early.status).toBe(503);
  expect(early.headers.get('retry-after')).toBe('1');
  expect((await score('../secrets')).status).toBe(400);
});

test('a missing key of a judge is found before RL starts', async () => {
  const others = [{ urls: ['http://127.0.0.1:1'], model: 'far', apiKeyVariable: 'LENSMITH_TEST_NO_SUCH_KEY' }];
  const { run } = await prepare({ engine: 'none', others });
  const spec = await readSpec(run);
  expect(() => assertJudgeKeys(spec)).toThrow(
    expect.objectContaining({ type: 'auth', message: expect.stringContaining('LENSMITH_TEST_NO_SUCH_KEY') }),
  );
});
