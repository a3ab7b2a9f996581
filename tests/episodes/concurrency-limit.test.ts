import { Agent } from 'undici';
import { expect, test } from 'vitest';
import { ConcurrencyLimit } from '../../episodes/concurrency-limit.ts';
import { fetchWaiting, readWaiting } from '../../episodes/queue-metrics.ts';
import { inOrder, startScriptedServer } from './scripted-server.ts';

/**
 * A server on a clock of its own: up to `places` requests take 100 ms each side by side, more of them share the places.
 * Always as many requests are in flight as the limit lets in.
 */
const simulate = (limit: ConcurrencyLimit, places: number, rounds: number, from = 0): number => {
  let now = from;
  for (let round = 0; round < rounds; round += 1) {
    const batch = limit.limit;
    for (let index = 0; index < batch; index += 1) limit.started();
    const durationMs = 100 * Math.max(1, batch / places);
    now += durationMs;
    for (let index = 0; index < batch; index += 1) limit.completed({ durationMs, tokens: 10 }, now);
  }
  return now;
};

test('the limit grows up to its bound where more requests take no longer', () => {
  const limit = new ConcurrencyLimit({ most: 500 });
  simulate(limit, 100_000, 30);
  expect(limit.limit).toBe(500);
});

test('it settles where the server is busy and does not queue for long', () => {
  const limit = new ConcurrencyLimit({ start: 8 });
  simulate(limit, 40, 200);
  expect(limit.limit).toBeGreaterThanOrEqual(40);
  expect(limit.limit).toBeLessThanOrEqual(120);
});

test('it comes down when the server becomes slower, and up again', () => {
  const limit = new ConcurrencyLimit({ start: 8, most: 200 });
  const busy = simulate(limit, 200, 60);
  expect(limit.limit).toBe(200);
  const slow = simulate(limit, 20, 400, busy);
  expect(limit.limit).toBeLessThan(120);
  simulate(limit, 200, 200, slow);
  expect(limit.limit).toBe(200);
});

test('requests that are turned away lower it, once a burst', () => {
  const limit = new ConcurrencyLimit({ start: 100 });
  for (let index = 0; index < 50; index += 1) limit.started();
  for (let index = 0; index < 50; index += 1) limit.throttled(1000 + index);
  expect(limit.limit).toBe(70);
  expect(limit.inFlight).toBe(0);
});

test('a queue that the server tells of lowers it by half of the queue, and never below the least', () => {
  const limit = new ConcurrencyLimit({ start: 100, least: 4 });
  limit.queueIs(40, 0);
  expect(limit.limit).toBe(80);
  limit.queueIs(4, 10_000);
  expect(limit.limit).toBe(80);
  limit.queueIs(10_000, 20_000);
  expect(limit.limit).toBe(4);
});

test('it does not grow while few requests come, nor while the server queues', () => {
  const idle = new ConcurrencyLimit({ start: 32 });
  for (let index = 0; index < 500; index += 1) {
    idle.started();
    idle.completed({ durationMs: 10, tokens: 1 }, 10 * index);
  }
  expect(idle.limit).toBe(32);
  const queueing = new ConcurrencyLimit({ start: 32 });
  queueing.queueIs(2, 0);
  simulate(queueing, 100_000, 20);
  expect(queueing.limit).toBe(32);
});

test('the queue of a vLLM server is the sum over its engines', () => {
  const metrics = [
    '# HELP vllm:num_requests_waiting Number of requests waiting to be processed.',
    '# TYPE vllm:num_requests_waiting gauge',
    'vllm:num_requests_running{engine="0",model_name="m"} 8.0',
    'vllm:num_requests_waiting{engine="0",model_name="m"} 3.0',
    'vllm:num_requests_waiting{engine="1",model_name="m"} 1.5e1',
    'vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 99.0',
  ].join('\n');
  expect(readWaiting(metrics)).toBe(18);
  expect(readWaiting('process_cpu_seconds_total 12')).toBeNull();
});

test('a server is asked for its queue at the root of its address; one without metrics tells nothing', async () => {
  const server = await startScriptedServer(inOrder([]), {
    model: 'scripted',
    pages: { '/metrics': 'vllm:num_requests_waiting{engine="0"} 6\n' },
  });
  const silent = await startScriptedServer(inOrder([]));
  const agent = new Agent();
  try {
    expect(await fetchWaiting(agent, server.url)).toBe(6);
    expect(await fetchWaiting(agent, silent.url)).toBeNull();
  } finally {
    await agent.close();
    await Promise.all([server.close(), silent.close()]);
  }
});
