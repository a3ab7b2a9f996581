import { CancelledFailure, Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { failureTypeOf } from '../../activities/failures.ts';
import type { HostActivities } from '../../activities/index.ts';
import type { PipelineProgress, TrainResult } from '../../domain/stage.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { pipelineEnvironment } from './pipeline-environment.ts';
import { saveHistory } from './save-history.ts';
import { judgeRequest, resolveJudge, scriptedHost } from './scripted-host.ts';

const { temporal, withHost, start } = pipelineEnvironment();

describe('train-pipeline', () => {
  it('runs its stages in order, evaluates checkpoints while RL goes on, and promotes the best', async () => {
    const { activities, calls } = scriptedHost();
    await withHost('ordered', activities, async () => {
      const handle = await start('ordered', miniatureSpec({ run: 'ordered', host: 'ordered' }));
      const result: TrainResult = await handle.result();
      await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_completed');
      const evaluation = `${handle.workflowId}/evaluate-step-2`;
      await saveHistory(temporal().address, evaluation, 'evaluate-checkpoint_completed');
      await saveHistory(temporal().address, `${evaluation}/serve-rl-checkpoint-2-validation`, 'serve-model_stopped');
      expect(result).toMatchObject({ run: 'ordered', decision: 'promoted', promoted: { step: 4 } });
      const { stages } = await handle.query<PipelineProgress>('progress');
      expect(Object.fromEntries(stages.map(({ name, state }) => [name, state]))).toEqual({
        'prepare-data': 'completed',
        'base-model': 'completed',
        sft: 'completed',
        'serve-judge': 'skipped',
        'ray-cluster': 'completed',
        rl: 'completed',
        'evaluate-checkpoints': 'completed',
        'benchmark-suite': 'completed',
        promote: 'completed',
        report: 'completed',
      });
    });
    const at = (text: string): number => calls.indexOf(text);
    expect(calls.slice(0, 4)).toEqual(['openRun', 'prepareData', 'trainBaseModel', 'trainSft']);
    expect(at('evaluate rl checkpoint-2 validation')).toBeGreaterThan(at('trainRl'));
    expect(at('evaluate rl checkpoint-2 validation')).toBeLessThan(at('trainRl ended'));
    expect(calls.filter((call) => call.startsWith('evaluate') && call.endsWith('test'))).toEqual([
      'evaluate base model test',
      'evaluate sft model test',
      'evaluate rl checkpoint-4 test',
    ]);
    expect(calls.filter((call) => call.startsWith('launch')).length).toBe(
      calls.filter((call) => call.startsWith('stop')).length,
    );
    expect(calls.at(-1)).toBe('teardownRun');
  });

  it('refuses an unknown key at once, names its place and suggests the key that was meant', async () => {
    const handle = await start('typo', { ...miniatureSpec(), evaluaton: {} });
    const failure = await handle.result().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    expect(failureTypeOf(failure)).toBe('config');
    expect((failure as WorkflowFailedError).cause?.message).toContain(
      'evaluaton: unknown key; did you mean "evaluation"?',
    );
  });

  it('retries a stage that lost its infrastructure and goes on', async () => {
    let tried = 0;
    const { activities } = scriptedHost({
      trainSft: async () => {
        tried += 1;
        if (tried === 1) throw ApplicationFailure.create({ type: 'infrastructure', message: 'the process was killed' });
        return {
          state: 'completed',
          artifact: { kind: 'model', path: 'sft', digest: 'sft', details: {} },
          attempts: 2,
          seconds: 1,
        };
      },
    });
    await withHost('retried', activities, async () => {
      const handle = await start('retried', miniatureSpec({ run: 'retried', host: 'retried' }));
      await handle.result();
      await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_activity-retried');
      const { stages } = await handle.query<PipelineProgress>('progress');
      expect(stages.find(({ name }) => name === 'sft')).toMatchObject({ state: 'completed', attempts: 2 });
    });
    expect(tried).toBe(2);
  });

  it('misses a worker that is lost in a short step within seconds', async () => {
    let asked = 0;
    let letGo = (): void => undefined;
    const { activities } = scriptedHost({
      findEvaluation: async () => {
        asked += 1;
        // Like a killed worker, it says nothing any more.
        if (asked === 1)
          await new Promise<void>((resolve) => {
            letGo = resolve;
          });
        return null;
      },
    });
    await withHost('silent', activities, async () => {
      const handle = await start('silent', miniatureSpec({ run: 'silent', host: 'silent' }));
      await handle.result().finally(() => letGo());
    });
    expect(asked).toBeGreaterThan(1);
  });

  it('does not retry bad data, and tears down', async () => {
    const { activities, calls } = scriptedHost({
      prepareData: async () => {
        calls.push('prepareData');
        throw ApplicationFailure.nonRetryable('train.parquet: the file is truncated', 'data');
      },
    });
    await withHost('bad-data', activities, async () => {
      const handle = await start('bad-data', miniatureSpec({ run: 'bad-data', host: 'bad-data' }));
      const failure = await handle.result().catch((error: unknown) => error);
      await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_data-failure');
      expect(failureTypeOf(failure)).toBe('data');
      const { stages } = await handle.query<PipelineProgress>('progress');
      expect(stages[0]).toMatchObject({ name: 'prepare-data', state: 'failed' });
      expect(stages[0]?.note).toContain('train.parquet: the file is truncated');
    });
    expect(calls).toEqual(['openRun', 'prepareData', 'teardownRun']);
  });

  it('stops what runs when it is cancelled, and tears down', async () => {
    let stopped = false;
    const { activities, calls } = scriptedHost({
      trainRl: async () => {
        calls.push('trainRl');
        try {
          for (;;) {
            Context.current().heartbeat();
            await Context.current().sleep(50);
          }
        } catch (error) {
          stopped = error instanceof CancelledFailure;
          throw error;
        }
      },
    });
    await withHost('cancelled', activities, async () => {
      const handle = await start('cancelled', miniatureSpec({ run: 'cancelled', host: 'cancelled' }));
      await expect.poll(() => calls, { timeout: 20_000 }).toContain('trainRl');
      await handle.cancel();
      const failure = await handle.result().catch((error: unknown) => error);
      await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_cancelled');
      expect((failure as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    });
    expect(stopped).toBe(true);
    expect(calls.at(-1)).toBe('teardownRun');
  });

  it('starts a model server again where it dies', async () => {
    let deaths = 0;
    const host = scriptedHost();
    const { superviseModelServer } = host.activities;
    const activities: HostActivities = {
      ...host.activities,
      resolveJudge,
      superviseModelServer: async (run, request) => {
        if (request.name === 'judge' && deaths++ === 0) return 'exit code 137';
        return superviseModelServer(run, request);
      },
    };
    await withHost('server-dies', activities, async () => {
      const handle = await start('server-dies', miniatureSpec({ run: 'server-dies', host: 'server-dies' }));
      await handle.result();
    });
    expect(host.calls.filter((call) => call === 'launch judge')).toHaveLength(2);
    expect(host.calls.filter((call) => call === 'stop judge')).toHaveLength(1);
  });

  it('fails with the reason where a model server cannot start', async () => {
    const host = scriptedHost();
    const activities: HostActivities = {
      ...host.activities,
      resolveJudge,
      launchModelServer: async () => {
        throw ApplicationFailure.nonRetryable('the port is taken', 'infrastructure');
      },
    };
    await withHost('server-fails', activities, async () => {
      const handle = await start('server-fails', miniatureSpec({ run: 'server-fails', host: 'server-fails' }));
      const failure = await handle.result().catch((error: unknown) => error);
      expect(failureTypeOf(failure)).toBe('infrastructure');
    });
    expect(host.calls.at(-1)).toBe('teardownRun');
  });

  it('counts the deaths of a server, and takes a crash loop for its own class', async () => {
    const host = scriptedHost();
    const activities: HostActivities = { ...host.activities, superviseModelServer: async () => 'exit code 137' };
    await withHost('server-loops', activities, async () => {
      const handle = await temporal().client.workflow.start('serve-model', {
        taskQueue: 'lensmith',
        workflowId: 'serve/loop',
        args: [
          {
            run: { run: 'loop', dir: '/runs/loop', workflowId: 'train/loop' },
            host: 'server-loops',
            attempts: 2,
            request: judgeRequest,
          },
        ],
      });
      const failure = await handle.result().catch((error: unknown) => error);
      expect(failureTypeOf(failure)).toBe('crash_loop');
    });
    expect(host.calls).toEqual(['launch judge', 'launch judge', 'stop judge']);
  });
});
