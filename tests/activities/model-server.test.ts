import { createServer } from 'node:http';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { expect, onTestFinished, test } from 'vitest';
import { launchModelServer, stopModelServer, superviseModelServer } from '../../activities/model-server.ts';
import type { ServerRequest } from '../../activities/server-command.ts';
import { servedModels } from '../../episodes/served-models.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { freePort } from '../../processes/free-port.ts';
import { waitFor } from '../processes/wait-for.ts';
import { activityContext, inActivity } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

/** Behaviour of the small server: the name of its model's folder. */
type Behaviour = 'prompt' | 'late' | 'misnamed' | 'too-large' | 'broken';

const request = (behaviour: Behaviour, port: number | null = null): ServerRequest => ({
  name: 'sft',
  model: join('/models', behaviour),
  modelDigest: 'digest',
  servedName: 'sft-model',
  role: 'policy',
  port,
});

const pids = (runId: string): number[] => findProcesses({ runId }).map(({ pid }) => pid);

test('waits for a server that is late, finds it again, and stops it', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const context = activityContext();
  const endpoint = await context.run(() => launchModelServer(host)(run, request('late')));
  expect(context.heartbeats.at(-1)).toEqual({ waitingFor: endpoint.url });
  expect(endpoint).toMatchObject({ name: 'sft', servedName: 'sft-model' });
  expect(await servedModels(endpoint.url)).toEqual(['sft-model']);

  const running = pids(run.run);
  expect(await inActivity(() => launchModelServer(host)(run, request('late')))).toEqual(endpoint);
  expect(pids(run.run)).toEqual(running);

  await inActivity(() => stopModelServer(host)(run, request('late')));
  expect(pids(run.run)).toEqual([]);
});

test('a server of another model is a fault of the spec', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(inActivity(() => launchModelServer(host)(run, request('misnamed')))).rejects.toMatchObject({
    type: 'config',
    message: expect.stringMatching(/"sft-model".*another/),
  });
});

test('a server that dies at once gives the class of its own report', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(inActivity(() => launchModelServer(host)(run, request('too-large')))).rejects.toMatchObject({
    type: 'out_of_memory',
    message: 'the weights need 80 GiB',
  });
});

test('a server that dies without a report is of the infrastructure, with the end of its log', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(inActivity(() => launchModelServer(host)(run, request('broken')))).rejects.toMatchObject({
    type: 'infrastructure',
    message: expect.stringMatching(/exit code 2[\s\S]*no such tensor: lm_head/),
  });
});

test('a server that does not begin in time is stopped', async () => {
  const host = await testHost();
  const run = await testRun(host, { serving: { engine: 'builtin', startSeconds: 0.2 } });
  await expect(inActivity(() => launchModelServer(host)(run, request('late')))).rejects.toMatchObject({
    type: 'infrastructure',
    message: expect.stringContaining('not ready after 0.2 s'),
  });
  expect(pids(run.run)).toEqual([]);
});

test('a port in use is not taken for ours, even where its server serves a model of that name', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const port = await freePort();
  const other = createServer((_, response) => {
    response.end(JSON.stringify({ data: [{ id: 'sft-model' }] }));
  });
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => {
    other.close();
  });
  await expect(inActivity(() => launchModelServer(host)(run, request('prompt', port)))).rejects.toMatchObject({
    type: 'port',
    message: expect.stringMatching(new RegExp(`port ${port}.*in use by process ${process.pid}`)),
  });
  expect(pids(run.run)).toEqual([]);
});

test('the watch tells how a server ended', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await inActivity(() => launchModelServer(host)(run, request('prompt')));
  const watch = inActivity(() => superviseModelServer(host)(run, request('prompt')));
  for (const { pid, command } of findProcesses({ runId: run.run }))
    if (command.includes('-m lensmith_trainers.serve') && !command.includes('record-exit'))
      process.kill(pid, 'SIGKILL');
  expect(await watch).toBe('signal SIGKILL');
});

test('the end of the watch leaves the server', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await inActivity(() => launchModelServer(host)(run, request('prompt')));
  const { environment, run: perform, heartbeats } = activityContext();
  const watch = perform(() => superviseModelServer(host)(run, request('prompt')));
  await waitFor('a heartbeat', () => heartbeats[0]);
  environment.cancel();
  await expect(watch).rejects.toBeInstanceOf(CancelledFailure);
  expect(pids(run.run)).not.toEqual([]);
});

test('the watch stops a server that lives and answers nobody', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await inActivity(() => launchModelServer(host)(run, request('prompt')));
  for (const { pid } of findProcesses({ runId: run.run })) process.kill(pid, 'SIGSTOP');
  const watch = inActivity(() => superviseModelServer(host, { everyMs: 100, misses: 2 })(run, request('prompt')));
  expect(await watch).toBe('it lived, and did not answer 2 times in a row');
  expect(pids(run.run)).toEqual([]);
});
