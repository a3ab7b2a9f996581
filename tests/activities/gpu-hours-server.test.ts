import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readUsage } from '../../activities/gpu-hours-read.ts';
import { whileAsking } from '../../activities/gpu-hours-server.ts';
import { launchModelServer, stopModelServer, superviseModelServer } from '../../activities/model-server.ts';
import type { ServerRequest } from '../../activities/server-command.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { inActivity } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

const request = (model: 'prompt' | 'late' | 'broken', role: ServerRequest['role'] = 'policy'): ServerRequest => ({
  name: role === 'judge' ? 'judge' : 'sft',
  model: `/models/${model}`,
  modelDigest: 'digest',
  servedName: 'model',
  role,
  port: null,
});

test('a server is starting until it answers, productive while it is asked, and idle else', async () => {
  const host = await testHost();
  const run = await testRun(host, { serving: { engine: 'builtin', threads: 3 } });
  await inActivity(() => launchModelServer(host)(run, request('late')));
  await inActivity(() => launchModelServer(host)(run, request('late')));
  await whileAsking(run, 'an evaluation', ['serve-sft'], () => delay(1200));
  const under = await readUsage(run);
  expect(under.entries).toMatchObject([{ stage: 'serve-sft', ending: 'running', endedAt: null }]);
  expect(under.entries[0]?.seconds.productive).toBeGreaterThanOrEqual(1);
  await delay(1100);
  await inActivity(() => stopModelServer(host)(run, request('late')));
  const { entries, totals } = await readUsage(run);
  expect(entries).toHaveLength(1);
  expect(entries[0]).toMatchObject({ attempt: 1, unit: 'cpu-slot', count: 3, ending: 'stopped' });
  // The small server waits for a second before it answers.
  expect(entries[0]?.seconds.starting).toBeGreaterThanOrEqual(1);
  expect(entries[0]?.seconds.productive).toBeGreaterThanOrEqual(1.2);
  expect(entries[0]?.seconds.idle).toBeGreaterThanOrEqual(0.1);
  expect(totals[0]?.wasted).toBe(0);
});

test('a judge holds the GPUs of the judge, and one that dies is told apart from one that is stopped', async () => {
  const host = await testHost();
  const run = await testRun(host, { gpus: { judge: 4 } });
  await inActivity(() => launchModelServer(host)(run, request('prompt', 'judge')));
  for (const { pid, command } of findProcesses({ runId: run.run }))
    if (command.includes('-m lensmith_trainers.serve') && !command.includes('record-exit'))
      process.kill(pid, 'SIGKILL');
  await inActivity(() => superviseModelServer(host)(run, request('prompt', 'judge')));
  expect((await readUsage(run)).entries).toMatchObject([
    { stage: 'serve-judge', unit: 'gpu', count: 4, ending: 'infrastructure' },
  ]);
});

test('a server that never answered was starting all its life', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(inActivity(() => launchModelServer(host)(run, request('broken')))).rejects.toThrow('no such tensor');
  await inActivity(() => stopModelServer(host)(run, request('broken')));
  const [entry] = (await readUsage(run)).entries;
  expect(entry).toMatchObject({ stage: 'serve-sft', seconds: { productive: 0, idle: 0 } });
  expect(entry?.endedAt).not.toBeNull();
});
