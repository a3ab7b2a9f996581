import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { typedFailureOf } from '../../activities/failures.ts';
import type { HostActivities } from '../../activities/index.ts';
import { type FailureType, failureTypes, isPermanentFailure } from '../../domain/errors.ts';
import type { FailureDetails } from '../../domain/failure-class.ts';
import type { PipelineProgress, StageResult } from '../../domain/stage.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { pipelineEnvironment } from './pipeline-environment.ts';
import { saveHistory } from './save-history.ts';
import { scriptedHost } from './scripted-host.ts';

const { temporal, withHost, start } = pipelineEnvironment();

interface Ending {
  readonly type: FailureType;
  readonly step?: number;
  readonly remedy?: string | null;
}

/** SFT that fails as told, an attempt after the other, and succeeds after that. */
const failingSft = (endings: readonly Ending[]) => {
  let attempt = 0;
  const trainSft = async (): Promise<StageResult> => {
    const ending = endings[attempt];
    attempt += 1;
    if (ending) {
      const { type, step = null, remedy } = ending;
      throw ApplicationFailure.create({
        type,
        message: `attempt ${attempt} failed`,
        details: [{ attempt, step, remedy } satisfies FailureDetails],
      });
    }
    const artifact = { kind: 'model' as const, path: 'sft', digest: 'sft', details: {} };
    return { state: 'completed', artifact, attempts: attempt, seconds: 1 };
  };
  return { trainSft, attempts: () => attempt };
};

/** Runs the pipeline to its end; gives the failure it ended with, if any. */
const run = async (
  name: string,
  endings: readonly Ending[],
  limits: NonNullable<Parameters<typeof miniatureSpec>[0]>['limits'],
  history?: string,
) => {
  const sft = failingSft(endings);
  const { activities, calls } = scriptedHost({ trainSft: sft.trainSft });
  return withHost(name, activities, async () => {
    const handle = await start(name, miniatureSpec({ run: name, host: name, ...(limits ? { limits } : {}) }));
    const failure = await handle.result().then(
      () => undefined,
      (error: unknown) => typedFailureOf(error),
    );
    if (history) await saveHistory(temporal().address, handle.workflowId, `train-pipeline_${history}`);
    const { stages } = await handle.query<PipelineProgress>('progress');
    return { failure, attempts: sft.attempts(), calls, sft: stages.find((stage) => stage.name === 'sft') };
  });
};

test.each(failureTypes.filter((type) => type !== 'cancelled'))(
  'a run whose budget for %s is used up fails with that class, and is torn down',
  async (type) => {
    const retries = isPermanentFailure(type) ? {} : { [type]: 0 };
    const ended = await run(`failed-${type}`, [{ type }], { retries }, `failed-${type}`);
    expect(ended).toMatchObject({ failure: { type }, attempts: 1, sft: { state: 'failed' } });
    expect(ended.calls.at(-1)).toBe('teardownRun');
  },
);

test('each class has its own budget', async () => {
  const endings: Ending[] = [{ type: 'port' }, { type: 'out_of_memory' }, { type: 'port' }];
  const ended = await run('budgets', endings, { attempts: 1, retries: { port: 2, out_of_memory: 1 } }, 'class-retried');
  expect(ended).toMatchObject({ failure: undefined, attempts: 4, sft: { state: 'completed', attempts: 4 } });
  expect(ended.sft?.note).toBe('tried again after port: attempt 3 failed');
});

test('a budget that is used up ends the run with the class, what happened and what was tried', async () => {
  const endings: Ending[] = [{ type: 'port' }, { type: 'port' }];
  const ended = await run('used-up', endings, { retries: { port: 1 } }, 'budget-used-up');
  expect(ended).toMatchObject({
    failure: {
      type: 'port',
      message: 'attempt 2 failed\nthe retries after this class are used up (limits.retries.port = 1)',
    },
    attempts: 2,
    sft: { state: 'failed' },
  });
  expect(ended.calls.at(-1)).toBe('teardownRun');
});

test('failures that get no further are a crash loop, although the budgets are not used up', async () => {
  const endings: Ending[] = [12, 12, 12, 12].map((step) => ({ type: 'infrastructure', step }));
  const ended = await run('crash-loop', endings, { attempts: 10 }, 'crash-loop');
  expect(ended).toMatchObject({ failure: { type: 'crash_loop' }, attempts: 3 });
});

test('memory that ran out is tried again while there is something to change', async () => {
  const endings: Ending[] = [
    { type: 'out_of_memory', step: 0, remedy: 'microBatchSize 2 → 1' },
    { type: 'out_of_memory', step: 0, remedy: null },
  ];
  const ended = await run('memory', endings, {}, 'out-of-memory');
  expect(ended).toMatchObject({ failure: { type: 'out_of_memory' }, attempts: 2 });
  expect(ended.failure?.message).toContain('no parameter that may change is left');
});

test('a class that cannot be helped is not tried again', async () => {
  expect(await run('auth', [{ type: 'auth' }], { attempts: 10 })).toMatchObject({
    failure: { type: 'auth' },
    attempts: 1,
  });
});

test('a cancel during the wait for a retry ends the run', async () => {
  const { activities, calls } = scriptedHost({
    trainSft: async () => {
      calls.push('trainSft');
      throw ApplicationFailure.create({ type: 'cuda_init', message: 'no GPU' });
    },
  });
  await withHost('waiting', activities, async () => {
    const handle = await start('waiting', miniatureSpec({ run: 'waiting', host: 'waiting' }));
    await expect.poll(() => calls, { timeout: 20_000 }).toContain('trainSft');
    await delay(500);
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  });
  expect(calls.filter((call) => call === 'trainSft')).toHaveLength(1);
  expect(calls.at(-1)).toBe('teardownRun');
});

test('a worker that is lost is no attempt of the stage', async () => {
  let calls = 0;
  const { activities } = scriptedHost({
    trainSft: async () => {
      calls += 1;
      // No heartbeat, as of a worker that is gone: the server notices after its timeout.
      if (calls === 1) await Promise.race([Context.current().cancelled, delay(30_000)]);
      const artifact = { kind: 'model' as const, path: 'sft', digest: 'sft', details: {} };
      return { state: 'completed', artifact, attempts: 1, seconds: 1 };
    },
  });
  await withHost('lost', activities, async () => {
    const handle = await start('lost', miniatureSpec({ run: 'lost', host: 'lost', limits: { attempts: 1 } }));
    await handle.result();
    await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_worker-lost');
    const { stages } = await handle.query<PipelineProgress>('progress');
    expect(stages.find(({ name }) => name === 'sft')).toMatchObject({ state: 'completed', attempts: 1 });
  });
  expect(calls).toBe(2);
});

test('an evaluation whose model server died goes on at its new address', async () => {
  const host = scriptedHost();
  const { superviseModelServer, evaluateModel } = host.activities;
  const name = 'rl-checkpoint-2-validation';
  const addresses: string[] = [];
  let launches = 0;
  const activities: HostActivities = {
    ...host.activities,
    launchModelServer: async (_run, request) => {
      if (request.name === name) launches += 1;
      return { name: request.name, url: `http://127.0.0.1:${launches}/v1`, servedName: request.servedName };
    },
    superviseModelServer: async (run, request) => {
      if (request.name !== name || launches > 1) return superviseModelServer(run, request);
      while (addresses.length === 0) await Context.current().sleep(20);
      return 'exit code 137';
    },
    evaluateModel: async (run, request, policy, judge) => {
      if (request.checkpoint !== 'checkpoint-2' || request.split !== 'validation')
        return evaluateModel(run, request, policy, judge);
      addresses.push(policy.url);
      if (addresses.length > 1) return evaluateModel(run, request, policy, judge);
      while (launches < 2) {
        Context.current().heartbeat();
        await Context.current().sleep(20);
      }
      throw ApplicationFailure.create({ type: 'infrastructure', message: 'connection refused' });
    },
  };
  await withHost('moved', activities, async () => {
    const handle = await start('moved', miniatureSpec({ run: 'moved', host: 'moved' }));
    await handle.result();
  });
  expect(addresses).toEqual(['http://127.0.0.1:1/v1', 'http://127.0.0.1:2/v1']);
});
