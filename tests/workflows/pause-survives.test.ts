import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CancelledFailure, Context } from '@temporalio/activity';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import type { HostActivities } from '../../activities/index.ts';
import type { PipelineProgress } from '../../domain/stage.ts';
import { freePort } from '../../processes/free-port.ts';
import { pauseUpdate, resumeUpdate } from '../../workflows/hold.ts';
import { runAttribute, stageAttribute, verdictAttribute } from '../../workflows/search-attributes.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { scriptedHost } from './scripted-host.ts';

const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
const path = fileURLToPath(new URL('../../.venv/bin/temporal', import.meta.url));

/** Works beside a server with this database and workers of its own; all of them are gone afterwards. */
const withServer = async <T>(
  server: { port: number; dbFilename: string },
  activities: HostActivities,
  work: (temporal: TestWorkflowEnvironment) => Promise<T>,
): Promise<T> => {
  const temporal = await TestWorkflowEnvironment.createLocal({
    server: {
      ...server,
      executable: { type: 'existing-path', path },
      searchAttributes: [runAttribute, stageAttribute, verdictAttribute],
    },
  });
  try {
    const connection = temporal.nativeConnection;
    const control = await Worker.create({ connection, taskQueue: 'lensmith', workflowsPath });
    const host = await Worker.create({
      connection,
      taskQueue: 'lensmith-host-survivor',
      activities,
      maxHeartbeatThrottleInterval: '100ms',
    });
    return await control.runUntil(host.runUntil(work(temporal)));
  } finally {
    await temporal.teardown();
  }
};

test('a paused run survives the server and all workers', { timeout: 180_000 }, async () => {
  const server = { port: await freePort(), dbFilename: join(await temporaryFolder(), 'temporal.db') };
  const scripted = scriptedHost();
  let begun = 0;
  const activities: HostActivities = {
    ...scripted.activities,
    trainRl: async (run, sft, data) => {
      begun += 1;
      while (begun === 1) {
        Context.current().heartbeat();
        await Promise.race([Context.current().sleep(50), Context.current().cancelled]);
        if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('cancelled');
      }
      return scripted.activities.trainRl(run, sft, data);
    },
  };
  const workflowId = 'train/survivor';
  await withServer(server, activities, async ({ client }) => {
    const args = [miniatureSpec({ run: 'survivor', host: 'survivor' })];
    const handle = await client.workflow.start('train-pipeline', { taskQueue: 'lensmith', workflowId, args });
    await expect.poll(() => begun, { timeout: 20_000 }).toBe(1);
    await handle.executeUpdate(pauseUpdate);
    await expect
      .poll(async () => (await handle.query<PipelineProgress>('progress')).hold?.state, { timeout: 20_000 })
      .toBe('paused');
  });
  await withServer(server, activities, async ({ client }) => {
    const handle = client.workflow.getHandle(workflowId);
    expect((await handle.query<PipelineProgress>('progress')).hold?.state).toBe('paused');
    await handle.executeUpdate(resumeUpdate, { args: [{}] });
    expect(await handle.result()).toMatchObject({ run: 'survivor', decision: 'promoted' });
  });
});
