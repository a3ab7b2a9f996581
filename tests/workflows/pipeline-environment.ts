import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll } from 'vitest';
import type { HostActivities } from '../../activities/index.ts';
import { startTemporal } from '../support/local-temporal.ts';

const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

/** A Temporal server of this file of tests, with a worker for the workflows. */
export const pipelineEnvironment = () => {
  let temporal: TestWorkflowEnvironment;
  let control: Worker;
  let controlRun: Promise<void>;

  const startControl = async (): Promise<void> => {
    control = await Worker.create({ connection: temporal.nativeConnection, taskQueue: 'lensmith', workflowsPath });
    controlRun = control.run();
  };

  beforeAll(async () => {
    temporal = await startTemporal();
    await startControl();
  });

  afterAll(async () => {
    control?.shutdown();
    await controlRun;
    await temporal?.teardown();
  });

  return {
    temporal: (): TestWorkflowEnvironment => temporal,
    /** Runs work beside a worker of a scripted host; every test has a host name, and so a queue, of its own. */
    withHost: async <T>(name: string, activities: HostActivities, work: () => Promise<T>): Promise<T> => {
      const worker = await Worker.create({
        connection: temporal.nativeConnection,
        taskQueue: `lensmith-host-${name}`,
        activities,
        // A cancellation reaches an activity with the answer to its next heartbeat.
        maxHeartbeatThrottleInterval: '100ms',
      });
      return worker.runUntil(work);
    },
    /** Another worker takes the workflows over, with nothing in its memory. */
    replaceControl: async (): Promise<void> => {
      control.shutdown();
      await controlRun;
      await startControl();
    },
    start: (name: string, spec: unknown, ...options: unknown[]) =>
      temporal.client.workflow.start('train-pipeline', {
        taskQueue: 'lensmith',
        workflowId: `train/${name}`,
        args: [spec, ...options],
      }),
  };
};
