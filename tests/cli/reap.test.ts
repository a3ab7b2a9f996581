import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Host } from '../../activities/host.ts';
import type { RunRef } from '../../domain/stage.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { launch } from '../../processes/launch.ts';
import { testHost, testRun } from '../activities/test-host.ts';
import { startTemporal } from '../support/local-temporal.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  temporal = await startTemporal();
});
afterAll(async () => {
  await temporal?.teardown();
});

/** A run of a home of its own with a program that is under way; no worker takes its workflow up. */
const begin = async () => {
  const host = await testHost();
  const run = await testRun(host);
  await launch({
    id: `${run.run}/sft/1`,
    runId: run.run,
    command: ['sleep', '310'],
    cwd: '/',
    env: { LENSMITH_HOME: host.home },
    dir: join(run.dir, 'program'),
  });
  const handle = await temporal.client.workflow.start('train-pipeline', {
    taskQueue: 'nobody',
    workflowId: run.workflowId,
  });
  onTestFinished(async () => {
    await handle.terminate().catch(() => undefined);
  });
  return { host, run, handle };
};

const reap = (host: Host, args: string[], address = temporal.address) =>
  execa(process.execPath, [main, 'reap', ...args], {
    reject: false,
    timeout: 60_000,
    env: { LENSMITH_HOME: host.home, TEMPORAL_ADDRESS: address, LENSMITH_RAY_ADDRESS: 'http://127.0.0.1:1' },
  });

const lives = ({ run }: RunRef): boolean => findProcesses({ runId: run }).length > 0;

test('a run that is under way is left alone, also where it is named', async () => {
  const { host, run } = await begin();
  const all = await reap(host, []);
  expect(all).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing is left of a run that is over') });
  const named = await reap(host, [run.run]);
  expect(named).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`lensmith cancel ${run.run}`) });
  expect(lives(run)).toBe(true);
});

test('a run whose teardown was skipped is listed, and then stopped', async () => {
  const { host, run, handle } = await begin();
  await handle.terminate();
  const listed = await reap(host, ['--dry-run']);
  expect(listed.stdout).toMatch(/sleep 310/);
  expect(listed.stdout).toContain('nothing was stopped');
  expect(lives(run)).toBe(true);
  const stopped = await reap(host, []);
  expect(stopped).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('none lives') });
  expect(lives(run)).toBe(false);
});

test('without Temporal nothing is stopped', async () => {
  const { host, run } = await begin();
  const { exitCode, stderr } = await reap(host, [], '127.0.0.1:1');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('no Temporal server answers');
  expect(lives(run)).toBe(true);
});
