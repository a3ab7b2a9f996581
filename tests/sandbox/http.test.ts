import { createHash } from 'node:crypto';
import { request } from 'node:http';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { executionResultSchema, sessionResponseSchema } from '../../domain/sandbox.ts';
import { type Listening, listen } from '../../sandbox/listen.ts';
import { openSandbox, type Sandbox } from '../../sandbox/open-sandbox.ts';
import { sandboxApi } from '../../sandbox/sandbox-api.ts';
import { python } from './python.ts';

let sandbox: Sandbox | undefined;
let door: Listening | undefined;
beforeAll(async () => {
  sandbox = await openSandbox({ python, maxSessions: 2 });
  door = await listen(sandboxApi(sandbox), { port: 0, hostname: '127.0.0.1' });
});
afterAll(async () => {
  await door?.close();
  await sandbox?.close();
});

const ask = (method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`http://127.0.0.1:${door?.port}${path}`, {
    method,
    signal: AbortSignal.timeout(30_000),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

const open = async (body: unknown = {}) => {
  const response = await ask('POST', '/v1/sessions', body);
  return { status: response.status, ...sessionResponseSchema.parse(await response.json()) };
};
const execute = async (id: string, code: string) => {
  const response = await ask('POST', `/v1/sessions/${id}/executions`, { code });
  return executionResultSchema.parse(await response.json());
};
const end = async (id: string) => (await ask('DELETE', `/v1/sessions/${id}`)).status;

test('a session is opened, runs code, and is deleted', async () => {
  const { status, sessionId, isolation } = await open();
  expect({ status, isolation }).toEqual({ status: 201, isolation: 'namespaces' });
  expect(await execute(sessionId, 'print(6 * 7)')).toMatchObject({ outcome: 'ok', stdout: '42\n' });
  expect(await end(sessionId)).toBe(204);
  expect(await end(sessionId)).toBe(404);
});

test('the same id again is the same session', async () => {
  const [first, second] = await Promise.all([open({ sessionId: 'mine' }), open({ sessionId: 'mine' })]);
  expect([first.status, second.status].sort()).toEqual([200, 201]);
  await execute('mine', 'x = 1');
  await open({ sessionId: 'mine' });
  expect((await execute('mine', 'x')).stdout).toBe('1\n');
  expect(await end('mine')).toBe(204);
});

test('a session is opened with its first execution, which runs once however often it is asked for', async () => {
  const request = { sessionId: 'first', execution: { code: 'x = globals().get("x", 0) + 1\nprint(x)' } };
  const first = await open(request);
  expect(first).toMatchObject({ status: 201, result: { outcome: 'ok', stdout: '1\n', isolation: 'namespaces' } });
  expect(await open(request)).toEqual({ ...first, status: 200 });
  expect((await execute('first', 'x')).stdout).toBe('1\n');
  expect(await end('first')).toBe(204);
});

test.each([
  ['/v1/sessions', { execution: { seconds: 1 } }, 'execution.code'],
  ['/v1/sessions', { limits: { callSeconds: -1 } }, 'limits.callSeconds'],
  ['/v1/sessions', { limits: { memoryMib: 1e14 } }, 'limits.memoryMib'],
  ['/v1/sessions', { images: [{ url: 'x' }] }, 'images[0]'],
  ['/v1/sessions', { sessionId: 'no spaces' }, 'sessionId'],
  ['/v1/sessions', { colour: 'red' }, 'colour'],
  ['/v1/sessions', 'no json', 'expected a body of JSON'],
  ['/v1/sessions/any/executions', { code: 5 }, 'code'],
])('%s refuses %j with its place', async (path, body, place) => {
  const response = await ask('POST', path, body);
  expect(response.status).toBe(400);
  const { error } = (await response.json()) as { error: { type: string; message: string } };
  expect(error.type).toBe('data');
  expect(error.message).toContain(place);
});

test('an image that does not decode is refused, and the id can be used again', async () => {
  const data = Buffer.from('no image').toString('base64');
  const response = await ask('POST', '/v1/sessions', { sessionId: 'again', images: [{ data }] });
  expect(response.status).toBe(400);
  expect((await open({ sessionId: 'again' })).status).toBe(201);
  expect(await end('again')).toBe(204);
});

test('an image that is to be kept is found by its digest, and one that is not is asked for', async () => {
  const bytes = await sharp({ create: { width: 5, height: 3, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const digest = createHash('sha256').update(bytes).digest('hex');
  const execution = { code: 'print(input_image.size)' };
  expect((await ask('POST', '/v1/sessions', { images: [{ digest }], execution })).status).toBe(409);
  const sent = await open({ images: [{ data: bytes.toString('base64'), keep: true }], execution });
  const found = await open({ images: [{ digest, name: 'other.png' }], execution });
  expect([sent.result?.stdout, found.result?.stdout]).toEqual(['(5, 3)\n', '(5, 3)\n']);
  for (const { sessionId } of [sent, found]) await end(sessionId);
});

test('a body that is too long is refused before it is sent', async () => {
  const status = await new Promise((resolve, reject) => {
    const asking = request(
      { port: door?.port, method: 'POST', path: '/v1/sessions', headers: { 'content-length': 300 * 1024 * 1024 } },
      (response) => {
        resolve(response.statusCode);
        asking.destroy();
      },
    );
    asking.once('error', reject);
    asking.flushHeaders();
  });
  expect(status).toBe(413);
});

test('a body that does not say how long it is is read', async () => {
  const body = new Blob(['{"sessionId": "streamed"}']).stream();
  const response = await fetch(`http://127.0.0.1:${door?.port}/v1/sessions`, { method: 'POST', body, duplex: 'half' });
  expect(await response.json()).toMatchObject({ sessionId: 'streamed' });
  expect(await end('streamed')).toBe(204);
});

test('an unknown session is not found', async () => {
  expect((await ask('POST', '/v1/sessions/none/executions', { code: '1' })).status).toBe(404);
  expect(await end('none')).toBe(404);
});

test('a full sandbox answers 429 and when to come back', async () => {
  const sessions = await Promise.all([open(), open()]);
  const refused = await ask('POST', '/v1/sessions', {});
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  await Promise.all(sessions.map(({ sessionId }) => end(sessionId)));
  const { status, sessionId } = await open();
  expect(status).toBe(201);
  await end(sessionId);
});

test('a session that ended by itself is not found', async () => {
  await open({ sessionId: 'idle', idleSeconds: 0.05 });
  await expect.poll(() => end('idle'), { timeout: 10_000 }).toBe(404);
});

const metrics = async (): Promise<Record<string, number>> => {
  const lines = (await (await ask('GET', '/metrics')).text()).split('\n').filter((line) => /^[a-z]/.test(line));
  return Object.fromEntries(lines.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]));
};
const executions = 'lensmith_sandbox_execution_seconds_count';

test('a session whose name reached nobody is ended', async () => {
  const before = await metrics();
  const execution = { code: 'import time\ntime.sleep(0.5)' };
  const leaving = new AbortController();
  const left = fetch(`http://127.0.0.1:${door?.port}/v1/sessions`, {
    method: 'POST',
    body: JSON.stringify({ execution }),
    signal: leaving.signal,
  });
  const gone = expect(left).rejects.toThrow('aborted');
  await expect.poll(() => sandbox?.sessions(), { timeout: 10_000, interval: 10 }).toBe(1);
  leaving.abort();
  await gone;
  await expect
    .poll(async () => (await metrics())[executions], { timeout: 10_000 })
    .toBe(Number(before[executions]) + 1);
  await expect.poll(() => sandbox?.sessions(), { timeout: 10_000 }).toBe(0);
});

test('an execution that is asked for again is counted once', async () => {
  const before = await metrics();
  const request = { sessionId: 'counted', execution: { code: '1' } };
  for (let times = 0; times < 3; times += 1) await open(request);
  const again = { code: '2', executionId: 'second' };
  for (let times = 0; times < 3; times += 1) await ask('POST', '/v1/sessions/counted/executions', again);
  expect((await metrics())[executions]).toBe(Number(before[executions]) + 2);
  const other = await ask('POST', '/v1/sessions/counted/executions', { ...again, code: '3' });
  expect(other.status).toBe(400);
  expect((await metrics())[executions]).toBe(Number(before[executions]) + 2);
  await end('counted');
});

test('health and metrics tell what the sandbox does', async () => {
  const { sessionId } = await open();
  const before = await metrics();
  await execute(sessionId, '1 / 0');
  const after = await metrics();
  const failures = 'lensmith_sandbox_executions_total{outcome="exception"}';
  expect(after[failures]).toBe(Number(before[failures]) + 1);
  expect(after.lensmith_sandbox_sessions).toBe(1);
  expect(after.lensmith_sandbox_execution_seconds_count).toBe(
    after['lensmith_sandbox_execution_seconds_bucket{le="+Inf"}'],
  );
  const health = await ask('GET', '/healthz');
  expect([health.status, await health.json()]).toEqual([200, { status: 'ok', isolation: 'namespaces' }]);
  await end(sessionId);
});
