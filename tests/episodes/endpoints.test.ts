import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createModelClient, type ModelClient } from '../../episodes/model-client.ts';
import { codeTurn, playWith } from './play.ts';
import { ranOk, scriptedSandbox } from './scripted-sandbox.ts';
import { answerStatus, type ServerFacts, type Step, startScriptedServer } from './scripted-server.ts';

const open: { close(): Promise<void> }[] = [];
const start = async (next: Parameters<typeof startScriptedServer>[0], facts?: string | ServerFacts) => {
  const server = await startScriptedServer(next, facts);
  open.push(server);
  return server;
};
const clientOf = (
  servers: readonly { url: string }[],
  options: Partial<Parameters<typeof createModelClient>[0]> = {},
): ModelClient => {
  const client = createModelClient({
    endpoints: servers.map(({ url }) => url),
    model: 'scripted',
    pauseMs: 5,
    ...options,
  });
  open.push(client);
  return client;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((part) => part.close()));
});

const answer = (): Step => '<answer>7</answer>';
/** Two calls, then the answer. */
const threeTurns = ({ messages }: { messages: readonly unknown[] }): Step =>
  messages.length < 5 ? codeTurn('print(8)') : '<answer>7</answer>';

/** Plays `count` episodes, `concurrency` at a time. */
const playMany = async (client: ModelClient, count: number, concurrency: number, onEnd: (ended: number) => void) => {
  const episodes: Awaited<ReturnType<typeof playWith>>[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      onEnd(episodes.push(await playWith(client)));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return episodes;
};

test('of eight endpoints one is slow and one dies half-way: all is answered, and episodes stay where they began', async () => {
  const episodeCount = 320;
  const servers = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      start(async (request) => {
        // Long beside what a busy machine adds, so that the slow one is seen to be slow on any.
        await delay(index === 0 ? 400 : 80);
        return threeTurns(request);
      }),
    ),
  );
  const client = clientOf(servers);
  const [slow, dying] = servers;
  const episodes = await playMany(client, episodeCount, 48, (ended) => {
    if (ended === episodeCount / 2) void dying?.stop();
  });

  expect(episodes).toHaveLength(episodeCount);
  expect(episodes.every(({ ending }) => ending === 'answered')).toBe(true);
  const turns = episodes.flatMap(({ turns: own }) => own.map(({ endpoint }) => endpoint === own[0]?.endpoint));
  expect(turns).toHaveLength(3 * episodeCount);
  expect(turns.filter(Boolean).length / turns.length).toBeGreaterThanOrEqual(0.95);
  const begun = (url: string | undefined): number =>
    episodes.filter(({ turns: [first] }) => first?.endpoint === url).length;
  const fast = servers.slice(2).map(({ url }) => begun(url));
  expect(Math.min(...fast)).toBeGreaterThan(begun(slow?.url));
  expect(client.endpoints().map(({ state }) => state)).toEqual(
    servers.map((server) => (server === dying ? 'ejected' : 'up')),
  );
  // Only what the dying server had not answered was asked a second time.
  const received = servers.reduce((sum, { requests }) => sum + requests.length, 0);
  expect(received - 3 * episodeCount).toBeLessThanOrEqual(48);
});

test('where the server of an episode dies, another one is asked without a pause', async () => {
  const dying = await start(threeTurns);
  const other = await start(threeTurns);
  const client = clientOf([dying, other], { pauseMs: 60_000 });
  await client.ready();
  const { sandbox } = scriptedSandbox(async (_, count) => {
    if (count === 1) await dying.stop();
    return ranOk('8');
  });
  const episode = await playWith(client, { sandbox });
  expect(episode).toMatchObject({ ending: 'answered' });
  expect(episode.turns.map(({ endpoint }) => endpoint)).toEqual([dying.url, other.url, other.url]);
});

test('an endpoint of another model is never asked', async () => {
  const right = await start(answer);
  const wrong = await start(answer, 'another');
  const client = clientOf([wrong, right]);
  await client.ready();
  const episodes = await playMany(client, 20, 4, () => undefined);
  expect(episodes.every(({ ending }) => ending === 'answered')).toBe(true);
  expect(wrong.requests).toHaveLength(0);
  expect(client.endpoints()[0]).toMatchObject({ state: 'refused', reason: expect.stringContaining('"another"') });
});

test('what one endpoint refuses another one is asked for, also in the middle of an episode', async () => {
  const told: string[] = [];
  const never = await start(() => answerStatus(400));
  const later = await start((request, count) => (count < 4 ? threeTurns(request) : answerStatus(401)));
  const right = await start(threeTurns);
  const onNote = (note: string): void => void told.push(note);
  const client = clientOf([never, later, right], { onNote });
  await client.ready();
  const episodes = await playMany(client, 12, 3, () => undefined);
  expect(episodes.map(({ ending }) => ending)).toEqual(episodes.map(() => 'answered'));
  expect(told).toHaveLength(2);
  expect(told).toContainEqual(expect.stringMatching(`^${never.url} is left out .* answered 400`));
  expect(told).toContainEqual(expect.stringMatching(`^${later.url} is left out .* answered 401`));
});

test('what every endpoint refuses is refused, in the words of each', async () => {
  const [first, second] = [await start(() => answerStatus(400)), await start(() => answerStatus(422))];
  const episode = await playWith(clientOf([first, second]));
  expect(episode).toMatchObject({ ending: 'model_error', error: { type: 'config' }, turns: [] });
  expect(episode.error?.message).toContain(`${first.url}: the model server answered 400`);
  expect(episode.error?.message).toContain(`${second.url}: the model server answered 422`);
  expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
});

test('contexts of different lengths are told, for what ends as context_limit depends on them', async () => {
  const servers = [];
  for (const contextLength of [32_768, 32_768, 8192])
    servers.push(await start(answer, { model: 'scripted', contextLength }));
  const notes: string[] = [];
  await clientOf(servers, { onNote: (note) => void notes.push(note) }).ready();
  expect(notes.length).toBeGreaterThan(0);
  for (const note of notes) for (const length of ['8192', '32768']) expect(note).toContain(`of ${length}`);
  const alike: string[] = [];
  await clientOf(servers.slice(0, 2), { onNote: (note) => void alike.push(note) }).ready();
  expect(alike).toEqual([]);
});

test('where every endpoint has another model the error says which', async () => {
  const client = clientOf([await start(answer, 'first'), await start(answer, 'second')]);
  await expect(client.ready()).rejects.toMatchObject({
    type: 'config',
    message: expect.stringMatching(/"first"[\s\S]*"second"/),
  });
  expect(await playWith(client)).toMatchObject({ ending: 'model_error', error: { type: 'config' }, turns: [] });
});

test('a server that comes back with another model is found out, and the episode goes on elsewhere', async () => {
  const facts = { model: 'scripted' };
  const swapped = await start(
    (request) => (facts.model === 'scripted' ? threeTurns(request) : answerStatus(404)),
    facts,
  );
  const other = await start(threeTurns);
  const client = clientOf([swapped, other]);
  await client.ready();
  const run = playWith(client, {
    sandbox: {
      createSession: async () => ({
        execute: async () => {
          facts.model = 'another';
          return { outcome: 'ok', stdout: '8', stderr: '', images: [], error: null, durationMs: 1, isolation: 'none' };
        },
        close: async () => undefined,
      }),
    },
  });
  const episode = await run;
  expect(episode).toMatchObject({ ending: 'answered' });
  expect(episode.turns.map(({ endpoint }) => endpoint)).toEqual([swapped.url, other.url, other.url]);
  expect(client.endpoints()[0]?.state).toBe('refused');
});

test('a server that fails again and again is left alone until a look at it succeeds', async () => {
  let broken = true;
  const flaky = await start(() => (broken ? answerStatus(500) : '<answer>7</answer>'));
  const steady = await start(answer);
  const client = clientOf([flaky, steady], { pauseMs: 50 });
  await playMany(client, 30, 4, () => undefined);
  const asked = flaky.requests.length;
  expect(asked).toBeLessThan(15);
  broken = false;
  await delay(500);
  await playMany(client, 10, 4, () => undefined);
  expect(client.endpoints()[0]?.state).toBe('up');
  expect(flaky.requests.length).toBeGreaterThan(asked);
});

test('a server that asks for a pause gets none of the requests of others meanwhile', async () => {
  const at: number[] = [];
  const server = await start((_, count) => {
    at.push(performance.now());
    return count === 1 ? answerStatus(429, '{}', { 'retry-after': '1' }) : '<answer>7</answer>';
  });
  const client = clientOf([server], { maxInFlight: 1 });
  const episodes = await playMany(client, 3, 3, () => undefined);
  expect(episodes.map(({ ending }) => ending)).toEqual(['answered', 'answered', 'answered']);
  const [first = 0, second = 0] = at;
  expect(second - first).toBeGreaterThanOrEqual(990);
  expect(server.requests).toHaveLength(4);
});

test('no more requests are in flight than allowed', async () => {
  let inFlight = 0;
  let most = 0;
  const server = await start(async () => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    await delay(5);
    inFlight -= 1;
    return '<answer>7</answer>';
  });
  const client = clientOf([server], { maxInFlight: 3 });
  await playMany(client, 40, 20, () => undefined);
  expect(most).toBe(3);
});

test('a server that takes no request in the time of the episode is a fault of the server', async () => {
  const server = await start((_, count) =>
    count === 1 ? answerStatus(429, '{}', { 'retry-after': '60' }) : '<answer>7</answer>',
  );
  const client = clientOf([server]);
  const episodes = [await playWith(client, { deadlineSeconds: 0.3 }), await playWith(client, { deadlineSeconds: 0.3 })];
  expect(episodes).toMatchObject([
    { ending: 'model_error', error: { type: 'infrastructure' } },
    { ending: 'model_error', error: { type: 'infrastructure' } },
  ]);
  expect(server.requests).toHaveLength(1);
});

test('the end of an episode does not count against its server', async () => {
  let isSilent = true;
  const server = await start(() => (isSilent ? () => undefined : '<answer>7</answer>'));
  const client = clientOf([server]);
  // Time enough to be connected on a busy machine: without, it is the server's fault.
  const late = await Promise.all(Array.from({ length: 5 }, () => playWith(client, { deadlineSeconds: 3 })));
  expect(late.map(({ ending }) => ending)).toEqual(late.map(() => 'time_limit'));
  expect(client.endpoints()).toMatchObject([{ state: 'up', requests: 0, episodes: 0 }]);
  isSilent = false;
  expect(await playWith(client)).toMatchObject({ ending: 'answered' });
});

test('an endpoint that fails fast does not draw the episodes to itself', async () => {
  const failing = await start(() => answerStatus(500));
  const working = await start(async () => {
    await delay(20);
    return '<answer>7</answer>';
  });
  const client = clientOf([failing, working], { attempts: 2 });
  const episodes = await playMany(client, 40, 8, () => undefined);
  expect(episodes.map(({ ending }) => ending)).toEqual(episodes.map(() => 'answered'));
});
