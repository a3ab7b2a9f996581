import { once } from 'node:events';
import { request } from 'node:http';
import { Hono } from 'hono';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { readBody } from '../../http/read-body.ts';
import { listen } from '../../sandbox/listen.ts';
import { waitFor } from '../processes/wait-for.ts';

/** A server that wants a name, with what it made of each body. */
const startServer = async () => {
  const app = new Hono();
  const made: unknown[] = [];
  app.post('/', async (context) => {
    const { text, parsed } = await readBody(context, z.strictObject({ name: z.string() }));
    made.push(parsed.success ? { text, ...parsed.data } : z.prettifyError(parsed.error));
    return context.body(null, 204);
  });
  const { port, close } = await listen(app, { port: 0, hostname: '127.0.0.1' });
  onTestFinished(close);
  return { made, port };
};

test('a body is told apart from one that does not fit and one that is no JSON', async () => {
  const { made, port } = await startServer();
  for (const body of ['{"name": "a"}', '{"name": 1}', '{"name": "a', '']) {
    await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body, signal: AbortSignal.timeout(10_000) });
  }
  expect(made).toEqual([
    { text: '{"name": "a"}', name: 'a' },
    expect.stringMatching(/expected string, received number\n.*at name/),
    expect.stringMatching(/expected a body of JSON: Unterminated string in JSON/),
    expect.stringMatching(/expected a body of JSON: Unexpected end of JSON input/),
  ]);
});

test('a body that breaks off is no fault of the server', async () => {
  const { made, port } = await startServer();
  const faults = vi.spyOn(console, 'error').mockReturnValue(undefined);
  onTestFinished(() => faults.mockRestore());
  const asking = request({ port, method: 'POST', headers: { 'content-length': 100, expect: '100-continue' } });
  asking.on('error', () => undefined);
  asking.write('{"name": ');
  await once(asking, 'continue', { signal: AbortSignal.timeout(10_000) });
  asking.destroy();
  await waitFor('the request to be handled', async () => (made.length > 0 ? true : undefined));
  expect(made).toEqual([expect.stringContaining('expected a body of JSON: aborted')]);
  expect(faults).not.toHaveBeenCalled();
});
