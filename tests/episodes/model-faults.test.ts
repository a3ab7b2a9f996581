import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { loadProtocol } from '../../episodes/load-protocol.ts';
import { checkEndpoint } from '../../episodes/served-models.ts';
import { codeTurn, play } from './play.ts';
import { answerStatus, completion, inOrder, type Step, startScriptedServer } from './scripted-server.ts';

const servers: { close(): Promise<void> }[] = [];
const start = async (steps: readonly Step[]) => {
  const server = await startScriptedServer(inOrder(steps));
  servers.push(server);
  return server;
};
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const answer = '<answer>7</answer>';
const reset = (response: ServerResponse): void => {
  response.socket?.resetAndDestroy();
};
const hang = (): void => undefined;
const cutOff = (response: ServerResponse): void => {
  response.end(completion(answer).slice(0, 40));
};
const cutOffConnection = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-length': '5000' }).write(completion(answer).slice(0, 40));
  response.socket?.end();
};

test.each<[string, Step]>([
  ['a 500', answerStatus(500)],
  ['a 503', answerStatus(503)],
  ['a 409', answerStatus(409)],
  ['a 425', answerStatus(425)],
  ['a connection that is reset', reset],
  ['JSON that is cut off', cutOff],
  ['a body that is cut off', cutOffConnection],
])('%s is tried again', async (_, fault) => {
  const server = await start([fault, fault, answer]);
  const episode = await play({ endpoints: [server.url] });
  expect(episode).toMatchObject({ ending: 'answered', answer: '7' });
  expect(server.requests).toHaveLength(3);
  expect(server.requests[2]).toEqual(server.requests[0]);
  expect(episode.turns.map(({ tries }) => tries)).toEqual([3]);
});

test('a server that stays broken ends the episode as model_error, after the budget', async () => {
  const server = await start(Array.from({ length: 9 }, () => answerStatus(500, 'out of order')));
  const episode = await play({ endpoints: [server.url] });
  expect(episode).toMatchObject({ ending: 'model_error', error: { type: 'infrastructure' }, turns: [] });
  expect(episode.error?.message).toContain('out of order');
  expect(server.requests).toHaveLength(3);
});

test('a redirect is no turn: one request, and where it points', async () => {
  const server = await start([
    answerStatus(307, '', { location: 'https://other.example/v1/chat/completions' }),
    answer,
  ]);
  const episode = await play({ endpoints: [server.url] });
  expect(episode).toMatchObject({ ending: 'model_error', error: { type: 'config' } });
  expect(episode.error?.message).toContain('307, a redirect to https://other.example/v1/chat/completions');
  expect(server.requests).toHaveLength(1);
});

test('a reply may be a list of parts, of which those of text count', async () => {
  const parts = [
    { type: 'thinking', thinking: [{ type: 'text', text: 'seven' }] },
    { type: 'text', text: '<answer>' },
    { type: 'text', text: '7</answer>' },
  ];
  const body = JSON.stringify({ choices: [{ message: { content: parts }, finish_reason: 'stop' }] });
  const server = await start([answerStatus(200, body)]);
  expect(await play({ endpoints: [server.url] })).toMatchObject({ ending: 'answered', answer: '7' });
});

const replyOf = (message: object, finish_reason: string | null = 'stop'): Step =>
  answerStatus(200, JSON.stringify({ choices: [{ message, finish_reason }] }));

test.each([
  ['reasoning_content', 'a reasoning parser', { content: null, reasoning_content: answer }],
  ['reasoning', 'a reasoning parser', { content: '\n', reasoning: answer }],
  ['tool_calls', 'a tool-call parser', { content: 'I look at it.', tool_calls: [{ id: '1', type: 'function' }] }],
])('a reply that the server has put into %s is no empty turn: it is served wrongly', async (_, parser, message) => {
  const server = await start([replyOf(message)]);
  const episode = await play({ endpoints: [server.url] });
  expect(episode).toMatchObject({ ending: 'model_error', error: { type: 'config' }, turns: [] });
  expect(episode.error?.message).toContain(`without ${parser}`);
  expect(server.requests).toHaveLength(1);
});

test('thoughts beside a reply are no part of it, and a model that is cut off in them has said nothing', async () => {
  const server = await start([
    replyOf({ content: null, reasoning_content: 'Let me see' }, 'length'),
    replyOf({ content: answer, reasoning_content: '<answer>1</answer>', tool_calls: [] }),
  ]);
  const episode = await play({ endpoints: [server.url], protocol: 'codedance' });
  expect(episode).toMatchObject({ ending: 'answered', answer: '7' });
  expect(episode.turns.map(({ text }) => text)).toEqual(['', answer]);
});

test.each(['abort', 'error', 'insufficient_system_resource'])(
  'a turn that the server gave up, which it calls "%s", is asked for again',
  async (finish) => {
    const server = await start([replyOf({ content: '<answer>1' }, finish), answer]);
    expect(await play({ endpoints: [server.url] })).toMatchObject({ ending: 'answered', answer: '7' });
    expect(server.requests).toHaveLength(2);
  },
);

test('429 waits as long as Retry-After says', async () => {
  const server = await start([answerStatus(429, '{}', { 'retry-after': '1' }), answer]);
  const started = performance.now();
  expect(await play({ endpoints: [server.url] })).toMatchObject({ ending: 'answered' });
  expect(performance.now() - started).toBeGreaterThanOrEqual(990);
});

test.each(['0', '-1', new Date(0).toUTCString()])(
  'a Retry-After of %s is no reason to ask without a pause',
  async (time) => {
    const busy = answerStatus(429, '{}', { 'retry-after': time });
    const server = await start([busy, busy, answer]);
    const started = performance.now();
    const episode = await play({ endpoints: [server.url], client: { pauseMs: 100 } });
    expect(episode.ending).toBe('answered');
    // Half of the first pause and of the second, at least.
    expect(performance.now() - started).toBeGreaterThan(145);
  },
);

test('a request without an answer is given up at its own deadline and tried again', async () => {
  const server = await start([hang, answer]);
  const episode = await play({ endpoints: [server.url], client: { requestSeconds: 0.2 } });
  expect(episode).toMatchObject({ ending: 'answered' });
});

test('a body that never ends is given up at the same deadline', async () => {
  const trickle: Step = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"choices":');
  };
  const server = await start([trickle, answer]);
  const episode = await play({ endpoints: [server.url], client: { requestSeconds: 0.2 } });
  expect(episode).toMatchObject({ ending: 'answered' });
});

test('a body that stalls is given up long before the request would be', async () => {
  const stalled: Step = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write(completion(answer).slice(0, 40));
  };
  const server = await start([stalled, answer]);
  const episode = await play({ endpoints: [server.url], client: { bodySeconds: 0.1 }, deadlineSeconds: 10 });
  expect(episode).toMatchObject({ ending: 'answered', turns: [{ tries: 2 }] });
  expect(server.requests).toHaveLength(2);
});

test('an answer without end is cut off by its length, and is not asked for again', async () => {
  const endless: Step = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"choices":[{"message":{"content":"');
    const write = (): void => {
      while (!response.destroyed && response.write('the '.repeat(4096)));
    };
    response.on('drain', write);
    write();
  };
  const server = await start([endless, answer]);
  const episode = await play({ endpoints: [server.url] });
  expect(episode).toMatchObject({ ending: 'model_error', error: { type: 'infrastructure' } });
  expect(episode.error?.message).toContain('bytes');
  expect(server.requests).toHaveLength(1);
});

test('an answer that drips without end is over with the time of the episode', async () => {
  const dripping: Step = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  };
  const server = await start([dripping]);
  const episode = await play({ endpoints: [server.url], deadlineSeconds: 0.4 });
  expect(episode).toMatchObject({ ending: 'time_limit', error: null });
  expect(server.requests).toHaveLength(1);
});

test('a model that repeats one token up to its limit uses up its turns', async () => {
  const { protocol } = await loadProtocol('codedance');
  const repeated: Step = (response) => {
    const body = JSON.parse(completion('the '.repeat(64)));
    body.choices[0].finish_reason = 'length';
    response.end(JSON.stringify(body));
  };
  const server = await start(Array.from({ length: protocol.limits.turns }, () => repeated));
  const episode = await play({ endpoints: [server.url], protocol: 'codedance' });
  expect(episode).toMatchObject({ ending: 'turn_limit', answer: null });
  expect(episode.turns.map(({ finishReason }) => finishReason)).toEqual(episode.turns.map(() => 'length'));
  expect(server.requests).toHaveLength(protocol.limits.turns);
});

test('a hang past the time of the episode ends it as time_limit', async () => {
  const server = await start([codeTurn('print(8)'), hang]);
  const episode = await play({ endpoints: [server.url], deadlineSeconds: 0.5 });
  expect(episode).toMatchObject({ ending: 'time_limit', answer: null, error: null });
  expect(episode.turns).toHaveLength(1);
});

test('a full context ends the episode as context_limit', async () => {
  const body = '{"error":{"code":"context_length_exceeded","message":"too many tokens"}}';
  const server = await start([codeTurn('print(8)'), answerStatus(400, body)]);
  expect(await play({ endpoints: [server.url] })).toMatchObject({ ending: 'context_limit', error: null });
});

test.each([
  ["vLLM's", 'The decoder prompt (length 5000) is longer than the maximum model length of 4096.'],
  [
    "vLLM's of a turn's tokens",
    "'max_tokens' or 'max_completion_tokens' is too large: 64. This model's maximum context length is 4096 tokens and your request has 4090 input tokens (64 > 4096 - 4090).",
  ],
  ["SGLang's", "The input (5000 tokens) is longer than the model's context length (4096 tokens)."],
  ["SGLang's of a reserve", 'Input length (4093 tokens) exceeds the maximum allowed length (4090 tokens).'],
  [
    "SGLang's of images",
    'Multimodal prompt is too long after expanding multimodal tokens. After expanding 90 => 5000 >= 4090.',
  ],
  ["llama.cpp's", 'request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it'],
])('a full context in %s words ends the episode as context_limit', async (_, message) => {
  const server = await start([answerStatus(400, JSON.stringify({ object: 'error', message, code: 400 }))]);
  expect(await play({ endpoints: [server.url] })).toMatchObject({ ending: 'context_limit', error: null });
});

test.each([
  [
    "vLLM's",
    "'max_tokens' or 'max_completion_tokens' is too large: 64. This model's maximum context length is 64 tokens and your request has 12 input tokens (64 > 64 - 12).",
  ],
  [
    "SGLang's",
    "Requested token count exceeds the model's maximum context length of 48 tokens. You requested a total of 76 tokens: 12 tokens from the input messages and 64 tokens for the completion.",
  ],
])('a turn that may be longer than the whole context is no doing of the model, in %s words', async (_, message) => {
  const server = await start([answerStatus(400, JSON.stringify({ object: 'error', message, code: 400 }))]);
  expect(await play({ endpoints: [server.url] })).toMatchObject({
    ending: 'model_error',
    error: { type: 'config', message: expect.stringContaining('expected fewer tokens of one turn than the ') },
  });
});

test.each([
  ['the tokens of the prompt alone', { prompt_tokens: 11, total_tokens: 11 }, 11],
  ['null', { prompt_tokens: null, completion_tokens: null }, 0],
  ['no object', 'none', 0],
])('a server that counts %s loses no turn', async (_, usage, promptTokens) => {
  const server = await start([
    (response) => response.end(JSON.stringify({ ...JSON.parse(completion(answer)), usage })),
  ]);
  const { turns, ...episode } = await play({ endpoints: [server.url] });
  expect(episode).toMatchObject({ ending: 'answered', answer: '7' });
  expect(turns).toMatchObject([{ promptTokens, completionTokens: 0, tries: 1 }]);
});

test.each([
  [401, 'auth'],
  [400, 'config'],
  [301, 'config'],
  [308, 'config'],
])('a %i is not tried again', async (status, type) => {
  const server = await start([answerStatus(status), answer]);
  expect(await play({ endpoints: [server.url] })).toMatchObject({ ending: 'model_error', error: { type } });
  expect(server.requests).toHaveLength(1);
});

test('an endpoint that is away is left for another one before the first turn', async () => {
  const away = createServer();
  away.listen(0, '127.0.0.1');
  await once(away, 'listening');
  const address = away.address();
  away.close();
  const port = typeof address === 'object' && address ? address.port : 0;
  const server = await start([codeTurn('print(8)'), answer]);
  const episode = await play({ endpoints: [`http://127.0.0.1:${port}`, server.url] });
  expect(episode.ending).toBe('answered');
  expect(episode.turns.map(({ endpoint }) => endpoint)).toEqual([server.url, server.url]);
});

test('an episode that is cancelled throws, and its request ends', async () => {
  const abort = new AbortController();
  const server = await start([
    () => {
      abort.abort(new Error('stopped by a person'));
    },
  ]);
  await expect(play({ endpoints: [server.url], signal: abort.signal })).rejects.toMatchObject({
    type: 'cancelled',
    message: expect.stringContaining('stopped by a person'),
  });
});

test('the check of an endpoint names the model that it serves instead', async () => {
  const server = await start([]);
  await checkEndpoint(server.url, 'scripted');
  await expect(checkEndpoint(server.url, 'sft')).rejects.toMatchObject({
    type: 'config',
    message: expect.stringContaining('"scripted"'),
  });
});

test('the check of an endpoint that is away says what is below the client', async () => {
  await expect(checkEndpoint('http://127.0.0.1:1', 'm')).rejects.toMatchObject({
    type: 'infrastructure',
    message: expect.stringMatching(/ECONNREFUSED|bad port/),
  });
});
