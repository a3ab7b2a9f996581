import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Episode } from '../../domain/episode.ts';
import { scoreResponseSchema } from '../../domain/score.ts';
import { type Listening, listen } from '../../sandbox/listen.ts';
import { scoreApi } from '../../scoring/score-api.ts';
import { episodeOf } from '../support/episodes.ts';

let server: Listening;
beforeAll(async () => {
  const judge = async () => ({ verdict: 'correct' as const, decidedBy: 'judge' as const, reason: 'the same' });
  server = await listen(scoreApi({ judge }), { port: 0, hostname: '127.0.0.1' });
});
afterAll(() => server?.close());

const post = (body: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}/v1/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(10_000),
  });

const score = async (groups: readonly (readonly Episode[])[], reward = 'lensmith') => {
  const response = await post(JSON.stringify({ reward, groups }));
  expect(response.status).toBe(200);
  return scoreResponseSchema.parse(await response.json()).groups;
};

test('answers in the shape of the request, each group by its own accuracy', async () => {
  const groups = await score([[episodeOf(['ok'], '8'), episodeOf(['ok'], '9')], [episodeOf(['ok'], '8')]]);
  expect(groups.map((group) => group.map(({ grade }) => grade.verdict))).toEqual([['correct', 'wrong'], ['correct']]);
  // Half of the first group is right: 1.1 + 0.2 · ½ − 0.1 · ½; all of the second: 1.1 − 0.1.
  expect(groups[0]?.[0]?.reward).toBeCloseTo(1.15, 12);
  expect(groups[1]?.[0]?.reward).toBeCloseTo(1, 12);
});

test('the reward is the one that was asked for', async () => {
  const [group] = await score([[episodeOf(['exception'], '8')]], 'accuracy');
  expect(group?.[0]?.terms).toEqual({ accuracy: 1, format: 0.1 });
});

test('an outage comes back masked, with no terms', async () => {
  const [group] = await score([[episodeOf([], null, {}, 'sandbox_error'), episodeOf([], '8')]]);
  expect(group?.[0]).toMatchObject({ masked: true, terms: {}, reward: 0 });
  expect(group?.[1]).toMatchObject({ masked: false });
});

test('an open answer goes to the judge', async () => {
  const [group] = await score([[episodeOf([], 'a kitten', { answerKind: 'text', reference: 'a cat' })]]);
  expect(group?.[0]?.grade).toMatchObject({ verdict: 'correct', decidedBy: 'judge' });
});

test('the same request again has the same answer', async () => {
  const groups = [[episodeOf(['ok', 'timeout'], '8'), episodeOf([], '3')]];
  expect(await score(groups)).toEqual(await score(groups));
});

test.each([
  ['no JSON', '{"reward":', 'expected a body of JSON'],
  ['an unknown reward', JSON.stringify({ reward: 'gold', groups: [[episodeOf([], '8')]] }), 'at reward'],
  ['no group', JSON.stringify({ reward: 'lensmith', groups: [] }), 'at groups'],
  ['an empty group', JSON.stringify({ reward: 'lensmith', groups: [[episodeOf([], '8')], []] }), 'at groups[1]'],
  [
    'an ending that there is not',
    JSON.stringify({ reward: 'lensmith', groups: [[{ ...episodeOf([], '8'), ending: 'bored' }]] }),
    'at groups[0][0].ending',
  ],
  [
    'an unknown key',
    JSON.stringify({ reward: 'lensmith', groups: [[{ ...episodeOf([], '8'), hint: 8 }]] }),
    'at groups[0][0]',
  ],
])('%s is answered with 400 and the place', async (_, body, place) => {
  const response = await post(body);
  expect(response.status).toBe(400);
  const { error } = (await response.json()) as { error: { type: string; message: string } };
  expect(error.type).toBe('data');
  expect(error.message).toContain(place);
});
