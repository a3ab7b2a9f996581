import { CancelledFailure, Context } from '@temporalio/activity';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { typedFailureOf } from '../../activities/failures.ts';
import type { HostActivities } from '../../activities/index.ts';
import type { OpenRunInput } from '../../activities/open-run.ts';
import type { HoldStatus, PipelineProgress, TrainResult } from '../../domain/stage.ts';
import { pauseUpdate, resumeUpdate } from '../../workflows/hold.ts';
import { stageAttribute } from '../../workflows/search-attributes.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { pipelineEnvironment } from './pipeline-environment.ts';
import { saveHistory } from './save-history.ts';
import { scriptedHost } from './scripted-host.ts';

const { temporal, withHost, start, replaceControl } = pipelineEnvironment();

type Handle = Awaited<ReturnType<typeof start>>;

const progressOf = (handle: Handle): Promise<PipelineProgress> => handle.query<PipelineProgress>('progress');

const untilHeld = async (handle: Handle, state: HoldStatus['state']): Promise<HoldStatus> => {
  await expect.poll(async () => (await progressOf(handle)).hold?.state, { timeout: 20_000 }).toBe(state);
  const { hold } = await progressOf(handle);
  if (!hold) throw new Error('expected a hold');
  return hold;
};

/** A host whose RL goes on until it is told to end, the first time, and takes `savingMs` over it. */
const pausableHost = (savingMs = 0) => {
  const opened: OpenRunInput[] = [];
  const host = scriptedHost();
  const { openRun, trainRl } = host.activities;
  const { calls } = host;
  let begun = 0;
  let released = false;
  const activities: HostActivities = {
    ...host.activities,
    openRun: async (input) => {
      opened.push(input);
      return openRun(input);
    },
    clearPause: async () => {
      released = true;
      calls.push('clearPause');
    },
    trainRl: async (run, sft, data) => {
      begun += 1;
      if (begun > 1) return trainRl(run, sft, data);
      calls.push('trainRl begins');
      try {
        for (;;) {
          Context.current().heartbeat();
          await Context.current().sleep(50);
        }
      } catch (error) {
        if (!(error instanceof CancelledFailure)) throw error;
        for (const until = Date.now() + savingMs; Date.now() < until && !released; ) {
          Context.current().heartbeat();
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        calls.push('trainRl has saved');
        throw error;
      }
    },
  };
  return { activities, calls, opened };
};

const untilRl = async (calls: readonly string[]): Promise<void> => {
  await expect.poll(() => calls, { timeout: 20_000 }).toContain('trainRl begins');
};

test('a paused run rests, survives a new worker, and goes on as the same workflow', async () => {
  const { activities, calls, opened } = pausableHost();
  await withHost('rests', activities, async () => {
    const handle = await start('rests', miniatureSpec({ run: 'rests', host: 'rests' }));
    await untilRl(calls);
    expect(await handle.executeUpdate(pauseUpdate)).toBe('pausing');
    await untilHeld(handle, 'paused');
    expect(calls.filter((call) => /markPause|saved|teardown|clearPause/.test(call))).toEqual([
      'markPause',
      'trainRl has saved',
      'teardownRun',
      'clearPause',
    ]);
    const { typedSearchAttributes, raw } = await handle.describe();
    expect(typedSearchAttributes.get(stageAttribute)).toBe('paused');
    expect(raw.pendingActivities).toEqual([]);
    expect(raw.pendingChildren).toEqual([]);
    expect((await progressOf(handle)).stages.find(({ name }) => name === 'rl')).toMatchObject({ state: 'pending' });

    // A command: without one a new worker would see the next update before the rest.
    const { events } = await handle.fetchHistory();
    expect(events?.at(-1)).toHaveProperty('upsertWorkflowSearchAttributesEventAttributes');
    await replaceControl();
    expect(await handle.executeUpdate(pauseUpdate)).toBe('paused');
    expect(await handle.executeUpdate(resumeUpdate, { args: [{}] })).toBe('paused');
    const result: TrainResult = await handle.result();
    await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_paused-and-resumed');
    expect(result).toMatchObject({ run: 'rests', decision: 'promoted' });
    const { stages, hold } = await progressOf(handle);
    expect(hold).toBeNull();
    expect(stages.filter(({ state }) => state !== 'completed').map(({ name }) => name)).toEqual(['serve-judge']);
    expect((await handle.describe()).runId).toBe(handle.firstExecutionRunId);
  });
  expect(opened.map(({ round, from }) => [round, from])).toEqual([
    [undefined, undefined],
    [1, undefined],
  ]);
  expect(calls.at(-1)).toBe('teardownRun');
});

test('a paused run can be cancelled', async () => {
  const { activities, calls } = pausableHost();
  await withHost('given-up', activities, async () => {
    const handle = await start('given-up', miniatureSpec({ run: 'given-up', host: 'given-up' }));
    await untilRl(calls);
    await handle.executeUpdate(pauseUpdate);
    await untilHeld(handle, 'paused');
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_cancelled-while-paused');
  });
  expect(calls.at(-1)).toBe('teardownRun');
});

test('a run that is told to go on where no host is can be cancelled, and is torn down where it was', async () => {
  const { activities, calls } = pausableHost();
  await withHost('left', activities, async () => {
    const spec = miniatureSpec({ run: 'left', host: 'left' });
    const handle = await start('left', spec);
    await untilRl(calls);
    await handle.executeUpdate(pauseUpdate);
    await untilHeld(handle, 'paused');
    calls.length = 0;
    await handle.executeUpdate(resumeUpdate, { args: [{ spec: { ...spec, host: 'nowhere' } }] });
    await handle.cancel();
    const status = async () => (await handle.describe()).status.name;
    await expect.poll(status, { timeout: 20_000 }).toBe('CANCELLED');
    expect(calls).toContain('teardownRun');
  });
}, 60_000);

test('a cancel on the way to the pause does not wait for the programs to save', async () => {
  const { activities, calls } = pausableHost(120_000);
  await withHost('hurried', activities, async () => {
    const handle = await start('hurried', miniatureSpec({ run: 'hurried', host: 'hurried' }));
    await untilRl(calls);
    await handle.executeUpdate(pauseUpdate);
    await expect.poll(() => calls, { timeout: 20_000 }).toContain('markPause');
    expect((await untilHeld(handle, 'pausing')).note).toContain('boundary');
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  });
  expect(calls.indexOf('clearPause')).toBeLessThan(calls.indexOf('trainRl has saved'));
});

test('a run that is told to go on before it rests does so once it does', async () => {
  const { activities, calls } = pausableHost(500);
  await withHost('undecided', activities, async () => {
    const handle = await start('undecided', miniatureSpec({ run: 'undecided', host: 'undecided' }));
    await untilRl(calls);
    await handle.executeUpdate(pauseUpdate);
    await handle.executeUpdate(resumeUpdate, { args: [{}] });
    expect(await handle.result()).toMatchObject({ decision: 'promoted' });
  });
  expect(calls).toContain('trainRl has saved');
});

test('a paused run goes on with another spec and from an earlier stage', async () => {
  const { activities, calls, opened } = pausableHost();
  await withHost('changed', activities, async () => {
    const spec = miniatureSpec({ run: 'changed', host: 'changed' });
    const handle = await start('changed', spec);
    await untilRl(calls);
    await handle.executeUpdate(pauseUpdate);
    await untilHeld(handle, 'paused');
    const args: [{ spec: Record<string, unknown>; from: 'sft' }] = [{ spec: { ...spec, seed: 7 }, from: 'sft' }];
    await handle.executeUpdate(resumeUpdate, { args });
    await handle.result();
  });
  expect(opened[1]).toMatchObject({ round: 1, from: 'sft', spec: { seed: 7, run: 'changed' } });
});

test('an order that is not valid is refused with its place, and one that cannot be followed leaves the run paused', async () => {
  const host = pausableHost();
  const { openRun } = host.activities;
  const activities: HostActivities = {
    ...host.activities,
    openRun: async (input) => {
      if (input.spec.seed === 7) throw ApplicationFailure.nonRetryable('judge.model: no such file', 'config');
      return openRun(input);
    },
  };
  await withHost('refused', activities, async () => {
    const spec = miniatureSpec({ run: 'refused', host: 'refused' });
    const handle = await start('refused', spec);
    await untilRl(host.calls);
    await handle.executeUpdate(pauseUpdate);
    await untilHeld(handle, 'paused');
    const typo = await handle
      .executeUpdate(resumeUpdate, { args: [{ spec: { ...spec, sead: 7 } }] })
      .catch((error: unknown) => error);
    expect(typo).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(typedFailureOf(typo)).toMatchObject({
      type: 'config',
      message: expect.stringContaining('sead: unknown key; did you mean "seed"?'),
    });
    await handle.executeUpdate(resumeUpdate, { args: [{ spec: { ...spec, seed: 7 } }] });
    await expect.poll(async () => (await progressOf(handle)).hold?.note).toContain('no such file');
    await handle.executeUpdate(resumeUpdate, { args: [{}] });
    expect(await handle.result()).toMatchObject({ decision: 'promoted' });
  });
});

test.each([
  { name: 'resumed-from-stage', options: { from: 'rl' } },
  {
    name: 'cloned',
    options: { clonedFrom: { run: 'first', execution: 'e', at: '2030-01-01T00:00:00Z', set: ['rl.steps=8'] } },
  },
])('a run that is $name opens its folder as it is told', async ({ name, options }) => {
  const host = scriptedHost();
  const opened: OpenRunInput[] = [];
  const openRun: HostActivities['openRun'] = async (input) => {
    opened.push(input);
    return host.activities.openRun(input);
  };
  await withHost(name, { ...host.activities, openRun }, async () => {
    const handle = await start(name, miniatureSpec({ run: name, host: name }), options);
    await handle.result();
    await saveHistory(temporal().address, handle.workflowId, `train-pipeline_${name}`);
  });
  expect(opened).toEqual([expect.objectContaining(options)]);
});

test('options that are not valid end the run at once', async () => {
  const handle = await start('bad-options', miniatureSpec(), { from: 'rll' });
  const failure = await handle.result().catch((error: unknown) => error);
  expect(typedFailureOf(failure)).toMatchObject({ type: 'config', message: expect.stringContaining('from') });
});
