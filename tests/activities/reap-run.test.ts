import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nextAttempt } from '../../activities/attempts.ts';
import { findRemains } from '../../activities/find-remains.ts';
import type { Host } from '../../activities/host.ts';
import { rayLauncher } from '../../activities/ray-launcher.ts';
import { reapRun } from '../../activities/reap-run.ts';
import type { RunRef } from '../../domain/stage.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { launch } from '../../processes/launch.ts';
import { stopTree } from '../../processes/stop-tree.ts';
import { waitFor } from '../processes/wait-for.ts';
import { startRayApi } from './ray-api.ts';
import { testHost, testRun } from './test-host.ts';

const leave = async (host: Host, run: string, script: string, env: Record<string, string> = {}) => {
  onTestFinished(async () => {
    await stopTree({ runId: run, graceMs: 0 });
  });
  await launch({
    id: `${run}/sft/1`,
    runId: run,
    command: ['/bin/sh', '-c', script],
    cwd: '/',
    env: { LENSMITH_HOME: host.home, ...env },
    dir: join(host.home, 'left', run),
  });
};

const remainsOf = async (host: Host, run: Pick<RunRef, 'run'>) =>
  (await findRemains(host)).runs.find((remains) => remains.run === run.run);

test('finds what a run has left, and stops it with its jobs and all that it started', async () => {
  const ray = await startRayApi();
  const host = await testHost({ rayAddress: ray.address });
  const run = await testRun(host);
  await leave(host, run.run, 'setsid sleep 308 & sleep 309');
  await rayLauncher(host, run, 'rl', 0).start(await nextAttempt(run, 'rl', undefined), ['true'], {});
  await waitFor('both', () => findProcesses({ runId: run.run }).filter(({ command }) => /^sleep/.test(command))[1]);

  const remains = await remainsOf(host, run);
  if (!remains) throw new Error('expected remains');
  expect(remains).toMatchObject({ file: { workflowId: run.workflowId }, jobs: [`${run.run}-rl-1`], otherHome: null });
  expect(remains.processes.map(({ command }) => command)).toEqual(expect.arrayContaining(['sleep 308', 'sleep 309']));

  const { terminated, killed } = await reapRun(host, remains);
  expect(terminated.length + killed.length).toBeGreaterThanOrEqual(2);
  expect(findProcesses({ runId: run.run })).toEqual([]);
  expect(ray.jobs.get(`${run.run}-rl-1`)?.status).toBe('STOPPED');
  expect(await remainsOf(host, run)).toBeUndefined();
});

test('what belongs to no run of this home is not seen', async () => {
  const host = await testHost();
  const stranger = `stranger-${randomUUID()}`;
  await leave(host, stranger, 'sleep 60');
  const { runs, rayProblem } = await findRemains(host);
  expect(runs.map(({ run }) => run)).not.toContain(stranger);
  expect(rayProblem).toContain('Ray does not answer');
});

test('a run of another home with the same id is told', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await leave(host, run.run, 'sleep 60', { LENSMITH_HOME: '/elsewhere' });
  expect(await remainsOf(host, run)).toMatchObject({ otherHome: '/elsewhere' });
});
