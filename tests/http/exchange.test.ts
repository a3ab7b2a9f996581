import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { exchange } from '../../http/exchange.ts';

test('no request is given up before its time, not by a part of a millisecond', async () => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  const agent = new Agent();
  onTestFinished(async () => {
    await agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { signal } = new AbortController();
  for (let times = 0; times < 100; times += 1) {
    const started = performance.now();
    const lost = await exchange({ agent, url, headers: {}, signal, totalMs: 5, stallMs: 1000, maxBytes: 1000 });
    expect(performance.now() - started).toBeGreaterThanOrEqual(5);
    expect(lost).toMatchObject({ kind: 'lost', fault: 'header_timeout' });
  }
});
