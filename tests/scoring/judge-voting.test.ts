import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Grade } from '../../domain/verdict.ts';
import { auditedJudge } from '../../scoring/judge/audited-judge.ts';
import { type Judge, openJudge } from '../../scoring/judge/judge-client.ts';
import { judgePanel } from '../../scoring/judge/judge-panel.ts';
import { votingJudge } from '../../scoring/judge/voting-judge.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { startOracle } from './judge-oracle.ts';
import { judgeOf, question, right, wrong } from './judge-server.ts';

const says =
  (verdict: 'correct' | 'wrong' | 'judge_failed'): Judge =>
  async (): Promise<Grade> => ({
    verdict,
    decidedBy: verdict === 'judge_failed' ? 'none' : 'judge',
    reason: `said ${verdict}`,
  });

const vote = async (...verdicts: readonly ('correct' | 'wrong' | 'judge_failed')[]) =>
  (await votingJudge(verdicts.map(says))(question)).verdict;

test('an answer waits for the judges of whom one is away, unless the others decide it', async () => {
  const away: Judge = async () => ({ ...(await says('judge_failed')(question)), awaitsJudge: true });
  const open = await votingJudge([says('correct'), says('wrong'), away])(question);
  expect(open).toMatchObject({ verdict: 'judge_failed', awaitsJudge: true });
  const decided = await votingJudge([says('correct'), says('correct'), away])(question);
  expect(decided).not.toHaveProperty('awaitsJudge');
  const forGood = await votingJudge([says('correct'), says('judge_failed')])(question);
  expect(forGood).not.toHaveProperty('awaitsJudge');
});

test('more than half of all judges decide; nothing less does', async () => {
  expect(await vote('correct', 'correct', 'wrong')).toBe('correct');
  expect(await vote('correct', 'wrong', 'wrong')).toBe('wrong');
  expect(await vote('correct', 'wrong')).toBe('judge_failed');
  expect(await vote('correct', 'judge_failed')).toBe('judge_failed');
  expect(await vote('correct', 'correct', 'judge_failed')).toBe('correct');
  expect(await vote('correct', 'wrong', 'judge_failed')).toBe('judge_failed');
  expect(await vote('judge_failed', 'judge_failed', 'correct')).toBe('judge_failed');
});

test('a majority never comes of fewer voices than half, in whatever order they are given', async () => {
  const voice = fc.constantFrom<'correct' | 'wrong' | 'judge_failed'>('correct', 'wrong', 'judge_failed');
  await fc.assert(
    fc.asyncProperty(fc.array(voice, { minLength: 1, maxLength: 7 }), async (voices) => {
      const verdict = await vote(...voices);
      const count = (name: string): number => voices.filter((each) => each === name).length;
      const expected =
        2 * count('correct') > voices.length
          ? 'correct'
          : 2 * count('wrong') > voices.length
            ? 'wrong'
            : 'judge_failed';
      expect(verdict).toBe(expected);
      expect(await vote(...voices.toReversed())).toBe(verdict);
    }),
  );
});

test('three judges behind servers, one of them away', async () => {
  const judges = [await judgeOf(() => right), await judgeOf(() => right), await judgeOf(() => wrong)];
  await judges[2]?.server.close();
  const grade = await votingJudge(judges.map(({ judge }) => judge))(question);
  const reason = '2 of 3 judges: the same animal';
  expect(grade).toEqual({ verdict: 'correct', decidedBy: 'judge', reason, cached: false });
});

test('an answer that no judge should see goes to none of them', async () => {
  const { judge, server } = await judgeOf(() => right);
  const grade = await votingJudge([judge, judge])({ ...question, answer: 'x'.repeat(1500) });
  expect(grade.verdict).toBe('unparsed');
  expect(server.requests).toHaveLength(0);
});

test('a panel: each behind its own audit, one that is refused has no voice', async () => {
  const folder = await temporaryFolder();
  const member = async (id: string, url: string) =>
    auditedJudge({ client: openJudge({ url, model: 'judge', id, hedge: false }), policy: 'required', folder });
  const good = await member('good', (await startOracle(undefined, 'wrong')).url);
  const better = await member('better', (await startOracle(undefined, 'wrong')).url);
  const bad = await member('bad', (await startOracle(() => 'correct', 'correct')).url);
  const panel = judgePanel(good, better, bad);
  expect(await panel.judge(question)).toMatchObject({ verdict: 'wrong', reason: expect.stringMatching(/^2 of 3/) });
  expect(await panel.standing()).toMatchObject({
    id: 'good + better + bad',
    audit: 'failed',
    decides: true,
    note: expect.stringMatching(/good: on .* \| better: on .* \| bad: refused/),
  });
  const pair = judgePanel(good, bad);
  expect((await pair.judge(question)).verdict).toBe('judge_failed');
  expect(await pair.standing()).toMatchObject({ audit: 'failed', decides: false });
  expect(judgePanel(good)).toBe(good);
});
