import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { Agent } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { exchange } from '../../http/exchange.ts';

const serve = async (listener: RequestListener) => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  const agent = new Agent();
  onTestFinished(async () => {
    await agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return { agent, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
};

test('no request is given up before its time, not by a part of a millisecond', async () => {
  const { agent, url } = await serve(() => undefined);
  const { signal } = new AbortController();
  for (let times = 0; times < 100; times += 1) {
    const started = performance.now();
    const lost = await exchange({ agent, url, headers: {}, signal, totalMs: 5, stallMs: 1000, maxBytes: 1000 });
    expect(performance.now() - started).toBeGreaterThanOrEqual(5);
    expect(lost).toMatchObject({ kind: 'lost', fault: 'header_timeout' });
  }
});

const encoded = async (encoding: string, body: Buffer, maxBytes = 1000) => {
  const { agent, url } = await serve((_, response) =>
    response.writeHead(200, { 'content-encoding': encoding }).end(body),
  );
  const { signal } = new AbortController();
  return exchange({ agent, url, headers: {}, signal, totalMs: 5000, stallMs: 1000, maxBytes });
};

test.each([
  ['gzip', gzipSync('as it was')],
  ['deflate', deflateSync('as it was')],
  ['br', brotliCompressSync('as it was')],
  ['identity', Buffer.from('as it was')],
])('a body that comes as %s is read', async (encoding, body) => {
  expect(await encoded(encoding, body)).toMatchObject({ kind: 'answer', status: 200, body: 'as it was' });
});

test('a body that is too long once it is unpacked, or not what it says, is lost', async () => {
  expect(await encoded('gzip', gzipSync('x'.repeat(100_000)))).toMatchObject({ kind: 'lost', fault: 'oversized' });
  expect(await encoded('gzip', Buffer.from('as it was'))).toMatchObject({ kind: 'lost', fault: 'reset' });
});
