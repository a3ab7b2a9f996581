import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import type { NightlyResult } from '../../activities/close-nightly.ts';
import type { HostActivities } from '../../activities/index.ts';
import type { NightlyTarget } from '../../activities/open-nightly.ts';
import type { Notification } from '../../domain/notification.ts';
import type { nightlyEvaluation } from '../../workflows/nightly-evaluation.ts';
import { nightlyTarget } from './nightly-target.ts';
import { pipelineEnvironment } from './pipeline-environment.ts';
import { saveHistory } from './save-history.ts';
import { scriptedHost } from './scripted-host.ts';

const { temporal, withHost } = pipelineEnvironment();

const target = (workflowId: string): NightlyTarget => ({
  ...nightlyTarget('night', workflowId),
  notify: {
    url: 'http://127.0.0.1:1/',
    urlVariable: null,
    tokenVariable: null,
    on: ['failed', 'cancelled', 'regressed'],
  },
});

const result = (changes: Partial<NightlyResult>): NightlyResult => ({
  run: 'night',
  checkpoint: '/runs/test/checkpoints/checkpoint-4',
  accuracy: 0.8,
  low: 0.75,
  high: 0.85,
  reference: 0.8,
  regression: false,
  evaluation: '/runs/night/evaluations/promoted',
  ...changes,
});

/** Runs a night on a scripted host that tells so many messages; they come with how it ended. */
const night = async (name: string, overrides: Partial<HostActivities>, messages: number, history?: string) => {
  const told: Notification[] = [];
  const { activities, calls } = scriptedHost({
    openNightly: async ({ workflowId }) => target(workflowId),
    notify: async (_spec, notification) => {
      told.push(notification);
    },
    ...overrides,
  });
  const outcome = await withHost(name, activities, async () => {
    const handle = await temporal().client.workflow.start<typeof nightlyEvaluation>('nightly-evaluation', {
      taskQueue: 'lensmith',
      workflowId: `nightly/${name}`,
      args: [{ name: 'digits', host: name }],
    });
    const ending = await handle.result().catch((error: unknown) => error);
    if (history) {
      await saveHistory(temporal().address, handle.workflowId, `nightly-evaluation_${history}`);
      await saveHistory(temporal().address, `${handle.workflowId}/benchmark-suite`, 'benchmark-suite_completed');
    }
    // Each message is a workflow of its own, which the night leaves behind.
    await expect.poll(() => told.length, { timeout: 30_000 }).toBe(messages);
    return ending;
  });
  return { outcome, told, calls };
};

test('a night that does worse is told with both figures', async () => {
  const fallen = result({ accuracy: 0.7, low: 0.652, high: 0.749, regression: true });
  const { outcome, told, calls } = await night('worse', { closeNightly: async () => fallen }, 1, 'regressed');
  expect(outcome).toEqual(fallen);
  expect(told[0]).toMatchObject({ event: 'regressed', run: 'night', name: 'digits', stage: 'benchmark-suite' });
  expect(told[0]?.message).toBe(
    '/runs/test/checkpoints/checkpoint-4: 70.0 % [65.2 %, 74.9 %], at its promotion 80.0 %',
  );
  expect(calls.at(-1)).toBe('teardownRun');
});

test('a night as good as ever is told to nobody', async () => {
  const { outcome, told } = await night('good', { closeNightly: async () => result({}) }, 0);
  expect(outcome).toEqual(result({}));
  expect(told).toEqual([]);
});

test('a night that fails is told with its class, and torn down', async () => {
  const evaluateModel = async (): Promise<never> => {
    throw ApplicationFailure.nonRetryable('test.parquet: the file is truncated', 'data');
  };
  const { told, calls } = await night('broken', { evaluateModel }, 1);
  expect(told.map(({ event, failure }) => [event, failure])).toEqual([['failed', 'data']]);
  expect(told[0]?.message).toContain('test.parquet: the file is truncated');
  expect(calls.at(-1)).toBe('teardownRun');
});
