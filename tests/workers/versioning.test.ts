import { fileURLToPath } from 'node:url';
import { CancelledFailure, Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HostActivities } from '../../activities/index.ts';
import { deploymentName, versioningOf } from '../../workers/versioning.ts';
import { startTemporal } from '../support/local-temporal.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { scriptedHost } from '../workflows/scripted-host.ts';

const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  temporal = await startTemporal();
});
afterAll(() => temporal?.teardown());

const control = (buildId: string): Promise<Worker> =>
  Worker.create({
    connection: temporal.nativeConnection,
    taskQueue: 'lensmith',
    workflowsPath,
    ...versioningOf({ LENSMITH_BUILD_ID: buildId }),
  });

/** What `temporal worker deployment set-current-version` does, once a worker of the build has been seen. */
const makeCurrent = async (buildId: string): Promise<void> => {
  const { workflowService, options } = temporal.client;
  const request = { namespace: options.namespace, deploymentName, buildId, identity: 'test' };
  await expect
    .poll(() => workflowService.setWorkerDeploymentCurrentVersion(request).then(() => true, String), {
      timeout: 30_000,
    })
    .toBe(true);
};

test('a run begins with the build that is current, and moves on to the next one', { timeout: 240_000 }, async () => {
  // Temporal takes some seconds for each child of a run that changes its build.
  const scripted = scriptedHost({}, 2);
  let released = false;
  let begun = 0;
  const activities: HostActivities = {
    ...scripted.activities,
    trainRl: async (run, sft, data) => {
      begun += 1;
      while (!released) {
        Context.current().heartbeat();
        await Promise.race([Context.current().sleep(50), Context.current().cancelled]);
        if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('cancelled');
      }
      return scripted.activities.trainRl(run, sft, data);
    },
  };
  const host = await Worker.create({
    connection: temporal.nativeConnection,
    taskQueue: 'lensmith-host-versioned',
    activities,
  });
  await host.runUntil(async () => {
    const first = await control('one');
    const firstRun = first.run();
    const workflowId = 'train/versioned';
    const buildNow = async (): Promise<string | null | undefined> => {
      const { raw } = await temporal.client.workflow.getHandle(workflowId).describe();
      return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId;
    };
    const second = await control('two');
    const secondRun = second.run();
    try {
      await makeCurrent('one');
      const handle = await temporal.client.workflow.start('train-pipeline', {
        taskQueue: 'lensmith',
        workflowId,
        args: [miniatureSpec({ run: 'versioned', host: 'versioned' })],
      });
      await expect.poll(() => begun, { timeout: 30_000 }).toBe(1);
      expect(await buildNow()).toBe('one');
      await makeCurrent('two');
      released = true;
      expect(await handle.result()).toMatchObject({ run: 'versioned', decision: 'promoted' });
      expect(await buildNow()).toBe('two');
    } finally {
      first.shutdown();
      second.shutdown();
      await Promise.all([firstRun, secondRun]);
    }
  });
  expect(begun).toBe(1);
});

test('without a build id a worker is of none, and a wrong one is named', () => {
  expect(versioningOf({})).toEqual({});
  expect(() => versioningOf({ LENSMITH_BUILD_ID: 'a b' })).toThrow(/expected letters.*"a b"/);
});
