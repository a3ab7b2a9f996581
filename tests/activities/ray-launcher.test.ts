import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActivityCancellationDetails } from '@temporalio/common';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { type Attempt, nextAttempt } from '../../activities/attempts.ts';
import { awaitRay } from '../../activities/await-ray.ts';
import type { Host } from '../../activities/host.ts';
import { rayLauncher, submissionIdOf } from '../../activities/ray-launcher.ts';
import { runProgram } from '../../activities/run-program.ts';
import { teardownRun } from '../../activities/teardown-run.ts';
import type { RunRef } from '../../domain/stage.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { launch } from '../../processes/launch.ts';
import { activityContext, inActivity } from './in-activity.ts';
import { startRayApi } from './ray-api.ts';
import { testHost, testRun } from './test-host.ts';

const begin = async (gpus = 0) => {
  const ray = await startRayApi();
  const host = await testHost({ rayAddress: ray.address });
  const run = await testRun(host);
  const attempt = await nextAttempt(run, 'rl', undefined);
  return { ray, host, run, attempt, launcher: rayLauncher(host, run, 'rl', gpus) };
};

/** A process that says it is the driver of a job, as one whose Ray has died would. */
const launchDriver = (host: Host, run: RunRef, attempt: Attempt) =>
  launch({
    id: `${run.run}/rl/${attempt.number}`,
    runId: run.run,
    command: ['sleep', '60'],
    cwd: host.home,
    dir: join(run.dir, 'driver'),
  });

test('submits a job under our own id, with the marks by which its processes are found', async () => {
  const { ray, run, attempt, launcher } = await begin(2);
  await launcher.start(attempt, ['python', '-m', 'x'], { PYTHONPATH: '/trainers' });
  expect(ray.submissions).toMatchObject([
    {
      submission_id: `${run.run}-rl-1`,
      entrypoint_num_gpus: 2,
      metadata: { run: run.run, stage: 'rl', attempt: '1' },
      runtime_env: {
        env_vars: { PYTHONPATH: '/trainers', LENSMITH_RUN_ID: run.run, LENSMITH_PROCESS_ID: `${run.run}/rl/1` },
      },
    },
  ]);
  expect(await launcher.inspect(attempt)).toEqual({ state: 'running' });
});

test('a second start adopts the job that Ray has', async () => {
  const { ray, attempt, launcher } = await begin();
  await launcher.start(attempt, ['true'], {});
  await launcher.start(attempt, ['true'], {});
  expect(ray.submissions).toHaveLength(1);
  expect(ray.jobs.size).toBe(1);
});

test('two starts at one time leave one job, although Ray answers the later with an error', async () => {
  const { ray, attempt, launcher } = await begin();
  await Promise.all([launcher.start(attempt, ['true'], {}), launcher.start(attempt, ['true'], {})]);
  expect(ray.jobs.size).toBe(1);
});

test('the entrypoint passes every argument as it is and writes to the log of the attempt', async () => {
  const { ray, attempt, launcher } = await begin();
  const awkward = ["it's", '$HOME', 'a b', '"x"', '`id`', '*', String.raw`back\slash`, ''];
  await launcher.start(attempt, ['printf', '%s\n', ...awkward], {});
  await execa('/bin/sh', ['-c', ray.submissions[0]?.entrypoint ?? '']);
  expect(await readFile(attempt.log, 'utf8')).toBe(`${awkward.join('\n')}\n`);
});

test('an id has only what may stand in the name of a file', () => {
  expect(submissionIdOf('a.b/c d_e', 'rl', 3)).toBe('a-b-c-d_e-rl-3');
});

test('a job that Ray has lost, and one that failed, have ended', async () => {
  const { ray, run, attempt, launcher } = await begin();
  expect(await launcher.inspect(attempt)).toMatchObject({
    state: 'ended',
    detail: expect.stringContaining('any more'),
  });
  await launcher.start(attempt, ['true'], {});
  const job = ray.jobs.get(`${run.run}-rl-1`);
  if (job) Object.assign(job, { status: 'FAILED', message: 'Job supervisor actor died.' });
  expect(await launcher.inspect(attempt)).toEqual({
    state: 'ended',
    detail: 'Ray says FAILED: Job supervisor actor died.',
    end: { exitCode: null, signal: null, ray: { status: 'FAILED', message: 'Job supervisor actor died.' } },
  });
});

test("what Ray says of a failed job comes without its own lines about the job's start", async () => {
  const { ray, run, attempt, launcher } = await begin();
  await launcher.start(attempt, ['true'], {});
  const job = ray.jobs.get(`${run.run}-rl-1`);
  const logs = `Runtime env is setting up.\nRunning entrypoint for job: exec 'python' ${'long '.repeat(100)}`;
  const message = `Job entrypoint command failed with exit code -9, last available logs (truncated to 20,000 chars):\n${logs}`;
  if (job) Object.assign(job, { status: 'FAILED', message });
  expect(await launcher.inspect(attempt)).toMatchObject({
    state: 'ended',
    detail: 'Ray says FAILED: Job entrypoint command failed with exit code -9',
  });
});

test.each(['silent', 'refusing'] as const)('a Ray that is %s is not taken for a job that has ended', async (mood) => {
  const { ray, attempt, launcher } = await begin();
  await launcher.start(attempt, ['true'], {});
  ray.mood(mood);
  expect(await launcher.inspect(attempt)).toMatchObject({ state: 'unknown' });
  ray.mood('answering');
  expect(await launcher.inspect(attempt)).toEqual({ state: 'running' });
});

const follow = (host: Host, run: RunRef, patienceSeconds: number) => {
  const context = activityContext();
  const following = context.run(() =>
    runProgram({
      run,
      stage: 'rl',
      launcher: rayLauncher(host, run, 'rl', 0),
      python: host.python,
      stallSeconds: 60,
      patienceSeconds,
      plan: async () => ({ config: {}, command: ['true'], env: {} }),
    }),
  );
  following.catch(() => undefined);
  return { following, context };
};

test('a job outlives a Ray that is away for a while, and is followed on without another one', async () => {
  const { ray, host, run } = await begin();
  const { following } = follow(host, run, 60);
  await expect.poll(() => ray.jobs.size, { timeout: 20_000 }).toBe(1);
  ray.mood('silent');
  await expect.poll(() => ray.refused(), { timeout: 20_000 }).toBeGreaterThan(2);
  ray.mood('answering');
  const [job] = ray.jobs.values();
  await writeFile(
    join(run.dir, 'stages/rl/attempt-2/outcome.json'),
    JSON.stringify({ status: 'succeeded', details: { steps: 4 } }),
  );
  if (job) job.status = 'SUCCEEDED';
  expect((await following).details).toEqual({ steps: 4 });
  expect(ray.submissions).toHaveLength(1);
});

test('a Ray that stays away ends the attempt as what it is, and its job is adopted by the next', async () => {
  const { ray, host, run } = await begin();
  const first = follow(host, run, 2);
  await expect.poll(() => ray.jobs.size, { timeout: 20_000 }).toBe(1);
  ray.mood('silent');
  await expect(first.following).rejects.toMatchObject({ type: 'ray_head' });
  const second = follow(host, run, 60);
  await expect.poll(() => ray.refused(), { timeout: 20_000 }).toBeGreaterThan(3);
  ray.mood('answering');
  await expect
    .poll(() => second.context.heartbeats.at(-1), { timeout: 20_000 })
    .toMatchObject({ stage: 'rl', attempt: 2 });
  expect(ray.submissions).toHaveLength(1);
  second.context.environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
  await expect(second.following).rejects.toThrow('cancelled');
  expect(ray.jobs.get(`${run.run}-rl-2`)?.status).toBe('STOPPED');
});

test('a job waits for a Ray that is away when it is to be submitted', async () => {
  const { ray, host, run } = await begin();
  ray.mood('refusing');
  const { following, context } = follow(host, run, 60);
  await expect.poll(() => ray.refused(), { timeout: 20_000 }).toBeGreaterThan(2);
  ray.mood('answering');
  await expect.poll(() => ray.jobs.size, { timeout: 20_000 }).toBe(1);
  context.environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
  await expect(following).rejects.toThrow('cancelled');
});

test('a job that failed has the class that Ray tells', async () => {
  const { ray, host, run } = await begin();
  const { following } = follow(host, run, 60);
  await expect.poll(() => ray.jobs.size, { timeout: 20_000 }).toBe(1);
  const [job] = ray.jobs.values();
  if (job) Object.assign(job, { status: 'FAILED', message: 'Job supervisor actor died: The actor is dead.' });
  await expect(following).rejects.toMatchObject({ type: 'ray_head', details: { attempt: 2, step: null } });
});

test('what Ray knows of its cluster can be collected', async () => {
  const { launcher } = await begin();
  const files = await Promise.all(launcher.diagnostics.map(async ({ file, collect }) => [file, await collect()]));
  expect(Object.fromEntries(files)).toMatchObject({ 'ray-actors.json': expect.stringContaining('Ray answered 404') });
});

test('a missing token is told as what it is', async () => {
  const ray = await startRayApi('secret');
  const host = await testHost({ rayAddress: ray.address });
  const run = await testRun(host);
  await expect(inActivity(() => awaitRay(host)(run))).rejects.toMatchObject({ type: 'auth' });
  const attempt = await nextAttempt(run, 'rl', undefined);
  await expect(rayLauncher(host, run, 'rl', 0).inspect(attempt)).rejects.toMatchObject({ type: 'auth' });
  const known = rayLauncher({ ...host, rayToken: 'secret' }, run, 'rl', 0);
  expect(await known.inspect(attempt)).toMatchObject({ state: 'ended' });
});

test('a stop ends the job, and the driver that outlived its Ray', async () => {
  const { ray, host, run, attempt, launcher } = await begin();
  await launcher.start(attempt, ['true'], {});
  await launchDriver(host, run, attempt);
  await launcher.stop(attempt);
  expect(ray.jobs.get(`${run.run}-rl-1`)?.status).toBe('STOPPED');
  expect(findProcesses({ runId: run.run })).toEqual([]);
});

test('after a lost job the orphan is stopped before the next attempt is submitted', async () => {
  const { ray, host, run, attempt, launcher } = await begin();
  await launchDriver(host, run, attempt);
  const drivers: number[] = [];
  const context = activityContext();
  const following = context.run(() =>
    runProgram({
      run,
      stage: 'rl',
      launcher,
      python: host.python,
      stallSeconds: 60,
      patienceSeconds: 60,
      plan: async () => {
        drivers.push(findProcesses({ runId: run.run }).length);
        return { config: {}, command: ['true'], env: {} };
      },
    }),
  );
  await expect.poll(() => ray.jobs.size, { timeout: 20_000 }).toBe(1);
  expect(drivers).toEqual([0]);
  expect([...ray.jobs.keys()]).toEqual([`${run.run}-rl-2`]);
  context.environment.cancel();
  await expect(following).rejects.toThrow('cancelled');
  expect(ray.jobs.get(`${run.run}-rl-2`)?.status).toBe('STOPPED');
});

test('the teardown of a run stops its job and its processes, also where Ray is away', async () => {
  const { ray, host, run, attempt, launcher } = await begin();
  await launcher.start(attempt, ['true'], {});
  await inActivity(() => teardownRun(host)(run));
  expect(ray.jobs.get(`${run.run}-rl-1`)?.status).toBe('STOPPED');

  await launchDriver(host, run, attempt);
  await inActivity(() => teardownRun({ ...host, rayAddress: 'http://127.0.0.1:1' })(run));
  expect(findProcesses({ runId: run.run })).toEqual([]);
});
