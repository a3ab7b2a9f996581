import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { expect, onTestFinished, test } from 'vitest';
import type { HostActivities } from '../../activities/index.ts';
import { notify } from '../../activities/notify.ts';
import type { Notification } from '../../domain/notification.ts';
import type { RunSpecInput } from '../../domain/run-spec.ts';
import { freePort } from '../../processes/free-port.ts';
import { pauseUpdate, resumeUpdate } from '../../workflows/hold.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { pipelineEnvironment } from './pipeline-environment.ts';
import { saveHistory } from './save-history.ts';
import { scriptedHost } from './scripted-host.ts';

const { temporal, withHost, start } = pipelineEnvironment();

/** A webhook that refuses the first few. */
const receiver = async (refusals = 0) => {
  const received: Notification[] = [];
  let asked = 0;
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as Notification;
    asked += 1;
    const refused = asked <= refusals;
    if (!refused) received.push(body);
    response.writeHead(refused ? 503 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received };
};

const run = async (
  name: string,
  spec: Partial<RunSpecInput>,
  overrides: Partial<HostActivities>,
  work: (handle: Awaited<ReturnType<typeof start>>) => Promise<void>,
  received: readonly Notification[],
  count: number,
): Promise<string[]> => {
  const { activities } = scriptedHost({ notify: notify(), ...overrides });
  return withHost(name, activities, async () => {
    await work(await start(name, miniatureSpec({ run: name, host: name, ...spec })));
    await expect.poll(() => received.length, { timeout: 20_000 }).toBe(count);
    return received.map(({ event }) => event);
  });
};

test('a run tells when it begins, pauses, goes on, holds its model back and ends; each only once', async () => {
  const { url, received } = await receiver(1);
  let begun = 0;
  const { trainSft } = scriptedHost().activities;
  const overrides: Partial<HostActivities> = {
    trainSft: async (ref, base, data) => {
      begun += 1;
      while (begun === 1) {
        Context.current().heartbeat();
        await Context.current().sleep(20);
      }
      return trainSft(ref, base, data);
    },
    promote: async (_run, checkpoint) => ({ decision: 'held', why: 'no gain', checkpoint, record: '/r.json' }),
  };
  const work = async (handle: Awaited<ReturnType<typeof start>>): Promise<void> => {
    await expect.poll(() => begun, { timeout: 20_000 }).toBe(1);
    await handle.executeUpdate(pauseUpdate);
    await expect
      .poll(async () => (await handle.query<{ hold?: { state: string } }>('progress')).hold?.state)
      .toBe('paused');
    await handle.executeUpdate(resumeUpdate, { args: [{}] });
    expect(await handle.result()).toMatchObject({ decision: 'held' });
    await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_notified');
  };
  const events = await run('told', { notify: { url } }, overrides, work, received, 5);
  expect(events.sort()).toEqual(['completed', 'held', 'paused', 'resumed', 'started']);
  expect(received.find(({ event }) => event === 'held')).toMatchObject({
    run: 'told',
    stage: 'promote',
    message: 'no gain',
  });
  expect(new Set(received.map(({ id }) => id)).size).toBe(5);
});

test('a stall and the failure after it are told with their class; what was not asked for is not', async () => {
  const { url, received } = await receiver();
  const overrides: Partial<HostActivities> = {
    trainSft: async () => {
      throw ApplicationFailure.create({
        type: 'stall',
        message: 'no progress for 9 s',
        details: [{ attempt: 1, step: 1 }],
      });
    },
  };
  const spec: Partial<RunSpecInput> = {
    notify: { url, on: ['stalled', 'failed'] },
    limits: { retries: { stall: 1 } },
  };
  const work = async (handle: Awaited<ReturnType<typeof start>>): Promise<void> => {
    await expect(handle.result()).rejects.toThrow();
  };
  await run('stalled', spec, overrides, work, received, 2);
  expect(received.map(({ event, stage, failure }) => [event, stage, failure])).toEqual([
    ['stalled', 'sft', 'stall'],
    ['failed', 'sft', 'stall'],
  ]);
});

test('a receiver that is away costs the run nothing', async () => {
  const { activities } = scriptedHost({ notify: notify() });
  await withHost('nobody', activities, async () => {
    const notifySpec = { url: `http://127.0.0.1:${await freePort()}/` };
    const handle = await start('nobody', miniatureSpec({ run: 'nobody', host: 'nobody', notify: notifySpec }));
    expect(await handle.result()).toMatchObject({ decision: 'promoted' });
    const query = "WorkflowType = 'notify-run' AND LensmithRun = 'nobody' AND ExecutionStatus = 'Running'";
    await expect.poll(async () => (await temporal().client.workflow.count(query)).count).toBeGreaterThan(0);
  });
});
