import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { NightlyResult } from '../../activities/close-nightly.ts';
import type { HostActivities } from '../../activities/index.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { nightlyTarget } from '../workflows/nightly-target.ts';
import { pipelineEnvironment } from '../workflows/pipeline-environment.ts';
import { scriptedHost } from '../workflows/scripted-host.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const { temporal, withHost, start } = pipelineEnvironment();

const lensmith = (...args: string[]) =>
  execa(process.execPath, [main, ...args], {
    reject: false,
    timeout: 30_000,
    env: { TEMPORAL_ADDRESS: temporal().address },
  });

const night: NightlyResult = {
  run: 'night',
  checkpoint: '/runs/test/checkpoints/checkpoint-4',
  accuracy: 0.7,
  low: 0.652,
  high: 0.749,
  reference: 0.8,
  regression: true,
  evaluation: '/runs/night/evaluations/promoted',
};

const withNight = (name: string, overrides: Partial<HostActivities>, work: (handle: WorkflowHandle) => Promise<void>) =>
  withHost(
    name,
    scriptedHost({
      openNightly: async ({ workflowId }) => nightlyTarget(name, workflowId),
      closeNightly: async () => ({ ...night, run: name }),
      ...overrides,
    }).activities,
    async () => {
      const handle = await temporal().client.workflow.start('nightly-evaluation', {
        taskQueue: 'lensmith',
        workflowId: `nightly/${name}`,
        args: [{ name: 'digits', host: name }],
      });
      await work(handle);
    },
  );

test.each(['refused', 'train/refused-2'])('the refused run %s is found as it is listed, and says why', async (id) => {
  const { client } = temporal();
  const handle = await client.workflow.start('train-pipeline', {
    taskQueue: 'lensmith',
    workflowId: id,
    args: [{ name: 'refused' }],
  });
  await handle.result().catch(() => undefined);
  const listed = JSON.parse((await lensmith('runs', '--json')).stdout);
  expect(listed).toContainEqual(expect.objectContaining({ run: id, state: 'failed' }));
  const { exitCode, stderr } = await lensmith('watch', id);
  expect(stderr).toContain('rl: expected object; got nothing');
  expect(exitCode).toBe(2);
});

test('a nightly evaluation is followed to its figures', async () => {
  await withNight('followed', {}, async (handle) => {
    await handle.result();
    const { exitCode, stdout } = await lensmith('watch', 'followed');
    expect(stdout).toContain('benchmark-suite: completed');
    expect(stdout).toContain('accuracy     70.0 % [65.2 %, 74.9 %], at its promotion 80.0 %');
    expect(exitCode).toBe(0);
  });
});

test('a nightly evaluation is not paused, but cancelled', async () => {
  const evaluateModel = async (): Promise<never> => {
    for (;;) {
      Context.current().heartbeat();
      await Context.current().sleep(50);
    }
  };
  await withNight('ended', { evaluateModel }, async (handle) => {
    const listed = async () => (await lensmith('runs', '--active', '--json')).stdout;
    await expect.poll(listed, { timeout: 20_000 }).toContain('"run": "ended"');
    const paused = await lensmith('pause', 'ended');
    expect(paused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('lensmith cancel ended') });
    const { exitCode, stdout } = await lensmith('cancel', 'ended');
    expect(stdout).toBe('ended is cancelled; its folder stays');
    expect(exitCode).toBe(0);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  });
});

test('a run that is over is not said to be cancelled', async () => {
  await withHost('over', scriptedHost().activities, async () => {
    const handle = await start('over', miniatureSpec({ run: 'over', host: 'over' }));
    await handle.result();
    const { exitCode, stdout, stderr } = await lensmith('cancel', 'over');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('"over" is over; there is nothing to cancel');
    expect((await handle.describe()).status.name).toBe('COMPLETED');
  });
});
