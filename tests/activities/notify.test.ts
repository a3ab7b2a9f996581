import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { failureTypeOf } from '../../activities/failures.ts';
import { notify } from '../../activities/notify.ts';
import { type Notification, notifySchema } from '../../domain/notification.ts';
import { freePort } from '../../processes/free-port.ts';
import { inActivity } from './in-activity.ts';

interface Received {
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: unknown;
}

/** A webhook on the loopback that answers with these statuses, one after the other. */
const receiver = async (...statuses: number[]) => {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await json(request) });
    const status = statuses[received.length - 1] ?? 200;
    response.writeHead(status, status === 429 ? { 'retry-after': '7' } : {}).end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/secret`, received };
};

const notification: Notification = {
  id: 'train/a/notify-1-failed',
  event: 'failed',
  run: 'a',
  name: 'digits',
  workflowId: 'train/a',
  stage: 'rl',
  failure: 'stall',
  message: 'stall: no progress for 1800 s <&>',
  at: 1,
};

const send = (spec: Record<string, unknown>) => inActivity(() => notify()(notifySchema.parse(spec), notification));

const variable = (name: string, value: string): string => {
  process.env[name] = value;
  onTestFinished(() => {
    delete process.env[name];
  });
  return name;
};

test('posts a text for a person, with Slack markup escaped, and the typed fields', async () => {
  const { url, received } = await receiver();
  await send({ url });
  expect(received[0]?.headers).toMatchObject({
    'content-type': 'application/json',
    'idempotency-key': notification.id,
  });
  expect(received[0]?.body).toEqual({
    text: '❌ a: failed in rl (stall)\nstall: no progress for 1800 s &lt;&amp;&gt;',
    ...notification,
  });
});

test('takes the address and the token from the environment, where they are secrets', async () => {
  const { url, received } = await receiver();
  const urlVariable = variable('NOTIFY_TEST_URL', url);
  await send({ urlVariable, tokenVariable: variable('NOTIFY_TEST_TOKEN', 'abc') });
  expect(received[0]?.headers.authorization).toBe('Bearer abc');
});

test('a variable that is not set is an error of its own, before anything is sent', async () => {
  const failure = await send({ urlVariable: 'NOTIFY_TEST_MISSING' }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ type: 'auth', message: expect.stringContaining('NOTIFY_TEST_MISSING') });
});

test.each([
  { status: 404, type: 'config' },
  { status: 500, type: 'infrastructure' },
  { status: 429, type: 'infrastructure' },
])('an answer $status is of the class $type, and names no secret of the address', async ({ status, type }) => {
  const { url } = await receiver(status);
  const failure = await send({ url }).catch((error: unknown) => error);
  expect(failureTypeOf(failure)).toBe(type);
  expect(String(failure)).toContain(String(status));
  expect(String(failure)).not.toContain('secret');
  if (status === 429) expect(failure).toMatchObject({ nextRetryDelay: '7s' });
});

test('a receiver that is away may take it later', async () => {
  const failure = await send({ url: `http://127.0.0.1:${await freePort()}/hook/secret` }).catch(
    (error: unknown) => error,
  );
  expect(failureTypeOf(failure)).toBe('infrastructure');
  expect(String(failure)).not.toContain('secret');
});

test('a spec names the address or its variable, one of the two', () => {
  expect(notifySchema.safeParse({}).success).toBe(false);
  expect(notifySchema.safeParse({ url: 'http://a.example', urlVariable: 'B' }).success).toBe(false);
  expect(notifySchema.safeParse({ url: 'file:///a' }).success).toBe(false);
});
