import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { Hono } from 'hono';
import { expect, onTestFinished, test, vi } from 'vitest';
import { limitBody } from '../../http/limit-body.ts';
import { listen } from '../../sandbox/listen.ts';
import { waitFor } from '../processes/wait-for.ts';

/** A server that takes ten bytes, with the statuses of its answers, whether they are read or not. */
const startServer = async () => {
  const tooLong = limitBody(10);
  const app = new Hono();
  const answers: number[] = [];
  app.use(async (context, next) => {
    await next();
    answers.push(context.res.status);
  });
  app.post('/', async (context) => (await tooLong(context)) ?? context.text(await context.req.text()));
  const { port, close } = await listen(app, { port: 0, hostname: '127.0.0.1' });
  onTestFinished(close);
  const post = (headers: Record<string, string>): ClientRequest =>
    request({ port, method: 'POST', headers }).on('error', () => undefined);
  return { answers, post };
};

const answerOf = async (asking: ClientRequest) => {
  const [response] = (await once(asking, 'response', { signal: AbortSignal.timeout(10_000) })) as [IncomingMessage];
  return { status: response.statusCode, body: await json(response) };
};

test.each([
  { length: 'content-length', value: '11' },
  { length: 'transfer-encoding', value: 'chunked' },
])('a body that is too long by its $length is refused as other errors are', async ({ length, value }) => {
  const { post } = await startServer();
  const asking = post({ [length]: value });
  asking.end('01234567890');
  expect(await answerOf(asking)).toEqual({
    status: 413,
    body: { error: { type: 'data', message: 'expected a body of at most 10 bytes; send less at a time' } },
  });
});

test('a body that breaks off is no fault of the server', async () => {
  const { answers, post } = await startServer();
  const faults = vi.spyOn(console, 'error').mockReturnValue(undefined);
  onTestFinished(() => faults.mockRestore());
  const asking = post({ 'transfer-encoding': 'chunked', expect: '100-continue' });
  asking.write('0123');
  await once(asking, 'continue', { signal: AbortSignal.timeout(10_000) });
  asking.destroy();
  await waitFor('the request to be answered', async () => (answers.length > 0 ? true : undefined));
  expect(answers).toEqual([400]);
  expect(faults).not.toHaveBeenCalled();
});
