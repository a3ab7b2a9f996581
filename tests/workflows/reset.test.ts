import { setTimeout as delay } from 'node:timers/promises';
import { CancelledFailure, Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { expect, test } from 'vitest';
import type { HostActivities } from '../../activities/index.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { pipelineEnvironment } from './pipeline-environment.ts';
import { resolveJudge, scriptedHost } from './scripted-host.ts';

const { temporal, withHost, start } = pipelineEnvironment();

/** The events with which workflow tasks were completed, first to last. */
const completedTasks = async (handle: WorkflowHandle) => {
  const { events } = await handle.fetchHistory();
  return events?.filter((event) => event.workflowTaskCompletedEventAttributes) ?? [];
};

/** What `temporal workflow reset` does; returns the execution that goes on. */
const reset = async (
  handle: WorkflowHandle,
  task: Awaited<ReturnType<typeof completedTasks>>[number] | undefined,
): Promise<WorkflowHandle> => {
  const { client } = temporal();
  const { runId } = await handle.describe();
  const answer: { runId: string } = await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: handle.workflowId, runId },
    reason: 'a test',
    requestId: `${handle.workflowId}/reset`,
    workflowTaskFinishEventId: task?.eventId ?? null,
  });
  return client.workflow.getHandle(handle.workflowId, answer.runId);
};

test('a reset run goes on in a new execution, and the old one leaves its program alone', {
  timeout: 120_000,
}, async () => {
  const scripted = scriptedHost();
  const endings: (boolean | undefined)[] = [];
  let begun = 0;
  const activities: HostActivities = {
    ...scripted.activities,
    resolveJudge,
    trainRl: async (run, sft, data) => {
      begun += 1;
      if (begun > 1) return scripted.activities.trainRl(run, sft, data);
      for (;;) {
        Context.current().heartbeat();
        await Promise.race([delay(50), Context.current().cancelled.catch(() => undefined)]);
        if (!Context.current().cancellationSignal.aborted) continue;
        endings.push(Context.current().cancellationDetails?.cancelRequested);
        throw new CancelledFailure('the execution is gone');
      }
    },
  };
  await withHost('reset', activities, async () => {
    const handle = await start('reset', miniatureSpec({ run: 'reset', host: 'reset' }));
    await expect.poll(() => begun, { timeout: 30_000 }).toBe(1);
    const again = await reset(handle, (await completedTasks(handle)).at(-1));
    expect(await again.result()).toMatchObject({ run: 'reset', decision: 'promoted' });
    // A cancel that was asked for would have stopped the trainer.
    await expect.poll(() => endings, { timeout: 30_000 }).toEqual([false]);
  });
  expect(scripted.calls.filter((call) => call === 'trainSft')).toHaveLength(1);
  // The judge of the old execution served the new one, which let go of it at its end.
  for (const call of ['launch judge', 'stop judge'])
    expect(scripted.calls.filter((one) => one === call)).toHaveLength(1);
});

test('a run that has ended can be reset to its beginning', { timeout: 120_000 }, async () => {
  const scripted = scriptedHost();
  await withHost('again', { ...scripted.activities, resolveJudge }, async () => {
    const handle = await start('again', miniatureSpec({ run: 'again', host: 'again' }));
    expect(await handle.result()).toMatchObject({ decision: 'promoted' });
    const again = await reset(handle, (await completedTasks(handle))[0]);
    expect(await again.result()).toMatchObject({ run: 'again', decision: 'promoted' });
  });
  // Each stage asks its host again, where the cache has what was made.
  expect(scripted.calls.filter((call) => call === 'trainSft')).toHaveLength(2);
});
