import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { followRun } from '../../cli/follow.ts';
import type { RunRef } from '../../domain/stage.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { launch } from '../../processes/launch.ts';
import { testHost, testRun } from '../activities/test-host.ts';
import { startTemporal } from '../support/local-temporal.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  temporal = await startTemporal(['--dynamic-config-value', 'frontend.WorkflowPauseEnabled=true']);
});
afterAll(async () => {
  await temporal?.teardown();
});

/** A run whose program lives, and whose workflow Temporal's own pause holds. */
const heldRun = async () => {
  const host = await testHost();
  const run = await testRun(host);
  await launch({
    id: `${run.run}/sft/1`,
    runId: run.run,
    command: ['sleep', '320'],
    cwd: '/',
    env: { LENSMITH_HOME: host.home },
    dir: join(run.dir, 'program'),
  });
  const { workflowId } = run;
  const handle = await temporal.client.workflow.start('train-pipeline', { taskQueue: 'nobody', workflowId });
  onTestFinished(async () => {
    await handle.terminate().catch(() => undefined);
  });
  await temporal.client.workflowService.pauseWorkflowExecution({ namespace: 'default', workflowId });
  await expect.poll(async () => (await handle.describe()).status.name).toBe('PAUSED');
  const lensmith = (...args: string[]) =>
    execa(process.execPath, [main, ...args], {
      reject: false,
      timeout: 30_000,
      env: { LENSMITH_HOME: host.home, TEMPORAL_ADDRESS: temporal.address, LENSMITH_RAY_ADDRESS: 'http://127.0.0.1:1' },
    });
  return { run, handle, lensmith };
};

const lives = ({ run }: RunRef): boolean => findProcesses({ runId: run }).length > 0;

test('the programs of a run that Temporal holds are not reaped', async () => {
  const { run, lensmith } = await heldRun();
  const { exitCode, stdout } = await lensmith('reap');
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing is left') });
  expect(lives(run)).toBe(true);
});

test('a run that Temporal holds is under way', async () => {
  const { run, lensmith } = await heldRun();
  const { stdout } = await lensmith('runs', '--active', '--json');
  expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ workflowId: run.workflowId, state: 'running' }));
});

test.each(['pause', 'cancel', 'resume'])('%s says what holds the run, and leaves it as it is', async (command) => {
  const { run, handle, lensmith } = await heldRun();
  const { exitCode, stderr } = await lensmith(command, run.run);
  expect(stderr).toContain(`"temporal workflow unpause --workflow-id ${run.workflowId}" lets it go on`);
  expect(exitCode).toBe(2);
  expect((await handle.describe()).status.name).toBe('PAUSED');
});

test('who watches a run that Temporal holds is told so, and goes on watching', async () => {
  const { run } = await heldRun();
  const leave = new AbortController();
  const lines: string[] = [];
  const write = (line: string): void => {
    lines.push(line);
    leave.abort();
  };
  await followRun(temporal.client, run.workflowId, write, leave.signal);
  expect(lines).toEqual([expect.stringContaining(`temporal workflow unpause --workflow-id ${run.workflowId}`)]);
});
