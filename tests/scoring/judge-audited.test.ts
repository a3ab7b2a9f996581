import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { JudgeAuditPolicy } from '../../domain/judge.ts';
import { auditedJudge } from '../../scoring/judge/audited-judge.ts';
import { openJudge } from '../../scoring/judge/judge-client.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { startOracle } from './judge-oracle.ts';
import { question, startJudgeServer } from './judge-server.ts';

const open = async (url: string, policy: JudgeAuditPolicy, folder?: string, auditWaitMs?: number) => {
  const home = folder ?? (await temporaryFolder());
  const client = openJudge({ url, model: 'judge', attempts: 1, hedge: false, cacheDir: join(home, 'cache') });
  return {
    home,
    ...auditedJudge({
      client,
      policy,
      folder: join(home, 'audits'),
      againMs: 50,
      ...(auditWaitMs === undefined ? {} : { auditWaitMs }),
    }),
  };
};

test('a judge that passes decides, and is audited once for many answers at once', async () => {
  const server = await startOracle();
  const { judge, standing, home } = await open(server.url, 'required');
  const grades = await Promise.all(
    Array.from({ length: 20 }, (_, index) => judge({ ...question, answer: `answer ${index}` })),
  );
  expect(new Set(grades.map(({ verdict }) => verdict))).toEqual(new Set(['correct']));
  expect(await standing()).toMatchObject({ policy: 'required', audit: 'passed', decides: true });
  const asked = server.requests.length;
  const later = await open(server.url, 'required', home);
  expect((await later.judge({ ...question, answer: 'one more' })).verdict).toBe('correct');
  expect(server.requests).toHaveLength(asked + 1);
});

test('an answer that may not wait for the audit has no verdict until the audit is done', async () => {
  const server = await startOracle();
  const { judge } = await open(server.url, 'required', undefined, 0);
  expect(await judge(question)).toMatchObject({
    verdict: 'judge_failed',
    decidedBy: 'none',
    reason: expect.stringContaining('its audit is under way'),
    awaitsJudge: true,
  });
  await expect.poll(async () => (await judge(question)).verdict, { timeout: 20_000 }).toBe('correct');
});

test('a judge that fails decides nothing, and says by how much it failed', async () => {
  const server = await startOracle(() => 'correct');
  const { judge, standing } = await open(server.url, 'required');
  const grade = await judge(question);
  expect(grade).toEqual({ verdict: 'judge_failed', decidedBy: 'none', reason: expect.any(String) });
  expect(grade.reason).toMatch(/failed its audit .*specificity/);
  expect(await standing()).toMatchObject({ audit: 'failed', decides: false, note: expect.stringContaining('refused') });
});

test('of a judge that fails because its replies cannot be read it is said what they lack', async () => {
  const server = await startJudgeServer(() => '<think>Let me see. Both');
  const { judge, standing } = await open(server.url, 'required');
  const reason = /replies were no verdict, the first: the judge did not reply with one JSON object/;
  expect((await judge(question)).reason).toMatch(reason);
  expect((await standing()).note).toMatch(reason);
});

test('forced, it decides all the same, and its standing says so', async () => {
  const server = await startOracle(() => 'correct');
  const { judge, standing } = await open(server.url, 'force');
  expect((await judge(question)).verdict).toBe('correct');
  expect(await standing()).toMatchObject({
    policy: 'force',
    audit: 'failed',
    decides: true,
    note: expect.stringMatching(/^forced .*specificity/),
  });
});

test('without an audit it decides, and its standing says that', async () => {
  const server = await startOracle();
  const { judge, standing } = await open(server.url, 'off');
  expect((await judge(question)).verdict).toBe('correct');
  expect(server.requests).toHaveLength(1);
  expect(await standing()).toMatchObject({ policy: 'off', audit: 'off', decides: true });
});

test('a judge that nothing needs is not audited', async () => {
  const server = await startOracle();
  const { judge, standing } = await open(server.url, 'required');
  expect((await judge({ ...question, answer: ' ' })).verdict).toBe('unparsed');
  expect(await standing()).toMatchObject({ audit: 'not_needed', decides: false });
  expect(server.requests).toHaveLength(0);
});

test('an outage leaves the audit unfinished and no verdict; when the judge is back, it goes on', async () => {
  const facts = { model: 'somebody else' };
  const server = await startJudgeServer(() => '{"verdict":"correct"}', facts);
  const { judge, standing, home } = await open(server.url, 'required');
  expect(await judge(question)).toEqual({
    verdict: 'judge_failed',
    decidedBy: 'none',
    reason: expect.stringContaining('audit'),
    awaitsJudge: true,
  });
  expect(await standing()).toMatchObject({ audit: 'unfinished', decides: false });
  expect(server.requests).toHaveLength(0);
  const back = await startOracle();
  const again = await open(back.url, 'required', home);
  expect((await again.judge(question)).verdict).toBe('correct');
});

test('while the judge is away, it is not tried anew for every answer', async () => {
  const server = await startOracle();
  await server.close();
  const { judge } = await open(server.url, 'required');
  const first = await judge(question);
  expect((await judge({ ...question, answer: 'a dog' })).reason).toBe(first.reason);
  await delay(60);
  expect((await judge({ ...question, answer: 'a dog' })).verdict).toBe('judge_failed');
});
