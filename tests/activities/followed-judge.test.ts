import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openFollowedJudge } from '../../activities/followed-judge.ts';
import { readSpec } from '../../activities/read-run.ts';
import type { RunRef } from '../../domain/stage.ts';
import { startOracle } from '../scoring/judge-oracle.ts';
import { testHost, testRun } from './test-host.ts';

const question = { question: 'Which bird is it?', reference: 'a barn owl', answer: 'Tyto alba' };

const serveAt = async (run: Pick<RunRef, 'dir'>, attempt: number, port: number): Promise<void> => {
  const dir = join(run.dir, 'stages', 'serve-judge', `attempt-${attempt}`);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'endpoint.json'), JSON.stringify({ port }));
};

const prepare = async () => {
  const host = await testHost();
  const model = join(host.home, 'judge.gguf');
  await writeFile(model, 'weights');
  const run = await testRun(host, { judge: { engine: 'builtin', model, audit: 'off', requestSeconds: 60 } });
  return { host, run, spec: await readSpec(run) };
};

/** A server of a host that is cut off: it takes connections and says nothing. */
const silentPort = async (): Promise<{ port: number; heard: () => number }> => {
  let connections = 0;
  const server = createServer(() => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return { port: address.port, heard: () => connections };
};

test('a question that waits for a judge which was lost is asked where it is served then', async () => {
  const { host, run, spec } = await prepare();
  const silent = await silentPort();
  await serveAt(run, 1, silent.port);
  const endpoint = { name: 'judge', url: `http://127.0.0.1:${silent.port}/v1`, servedName: 'judge' };
  const judge = await openFollowedJudge(host, run, spec, endpoint, new AbortController().signal);
  if (!judge) throw new Error('expected a judge');
  const grades = Promise.all([judge.judge(question), judge.judge({ ...question, answer: 'Tyto alba, the owl' })]);
  await expect.poll(silent.heard, { timeout: 30_000 }).toBeGreaterThan(0);
  const oracle = await startOracle();
  await serveAt(run, 2, Number(new URL(oracle.url).port));
  expect(await grades).toMatchObject([{ verdict: 'correct' }, { verdict: 'correct' }]);
  expect(oracle.requests.length).toBeGreaterThan(0);
}, 60_000);

test('a run without a server of its own and without others has no judge', async () => {
  const { host, run, spec } = await prepare();
  expect(await openFollowedJudge(host, run, spec, null, new AbortController().signal)).toBeUndefined();
});
