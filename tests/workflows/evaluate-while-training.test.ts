import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { failureTypeOf } from '../../activities/failures.ts';
import type { HostActivities } from '../../activities/index.ts';
import type { FailureType } from '../../domain/errors.ts';
import type { PipelineProgress, TrainResult } from '../../domain/stage.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { pipelineEnvironment } from './pipeline-environment.ts';
import { saveHistory } from './save-history.ts';
import { scriptedHost } from './scripted-host.ts';

const { temporal, withHost, start } = pipelineEnvironment();

/** A host on which the evaluation of some checkpoints fails with a class that is not tried again. */
const failingHost = (type: FailureType, fails: (checkpoint: string) => boolean) => {
  const { activities, calls } = scriptedHost();
  const evaluateModel: HostActivities['evaluateModel'] = async (run, request, endpoint, judge) => {
    const record = await activities.evaluateModel(run, request, endpoint, judge);
    if (request.split === 'validation' && fails(request.checkpoint))
      throw ApplicationFailure.nonRetryable(`no verdict on ${request.checkpoint}`, type);
    return record;
  };
  return { activities: { ...activities, evaluateModel }, calls };
};

describe('checkpoints of RL', () => {
  it('are settled one by one with what came of their evaluations', async () => {
    const { activities, calls } = scriptedHost();
    await withHost('settled', activities, async () => {
      await (await start('settled', miniatureSpec({ run: 'settled', host: 'settled' }))).result();
    });
    expect(calls.filter((call) => call.startsWith('settle'))).toEqual([
      'settle 2 evaluated',
      'settle 4 evaluated',
      'settle 6 evaluated',
    ]);
  });

  it('are given up where their own evaluation fails, and training goes on', async () => {
    const { activities, calls } = failingHost('undecided', (checkpoint) => checkpoint === 'checkpoint-4');
    await withHost('given-up', activities, async () => {
      const handle = await start('given-up', miniatureSpec({ run: 'given-up', host: 'given-up' }));
      const result: TrainResult = await handle.result();
      await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_evaluation-given-up');
      // The best of those that were evaluated; checkpoint-4 would have been it.
      expect(result).toMatchObject({ decision: 'promoted', promoted: { step: 6 } });
    });
    expect(calls.filter((call) => call.startsWith('settle'))).toEqual([
      'settle 2 evaluated',
      'settle 4 given-up',
      'settle 6 evaluated',
    ]);
    expect(calls).toContain('trainRl ended');
  });

  it('fail the run with the class of the last where none could be evaluated', async () => {
    const { activities, calls } = failingHost('undecided', () => true);
    await withHost('none-evaluated', activities, async () => {
      const handle = await start('none-evaluated', miniatureSpec({ run: 'none-evaluated', host: 'none-evaluated' }));
      const failure = await handle.result().catch((error: unknown) => error);
      expect(failureTypeOf(failure)).toBe('undecided');
      const { stages } = await handle.query<PipelineProgress>('progress');
      expect(stages.find(({ name }) => name === 'evaluate-checkpoints')).toMatchObject({ state: 'failed' });
    });
    expect(calls.filter((call) => call.endsWith('given-up'))).toHaveLength(3);
  });

  it('end training where every evaluation would meet the same fault', async () => {
    const { activities, calls } = failingHost('config', () => true);
    await withHost('common-fault', activities, async () => {
      const handle = await start('common-fault', miniatureSpec({ run: 'common-fault', host: 'common-fault' }));
      const failure = await handle.result().catch((error: unknown) => error);
      expect(failureTypeOf(failure)).toBe('config');
    });
    expect(calls.filter((call) => call.startsWith('settle'))).toEqual([]);
  });

  it('are not lost with a host that cannot settle them', async () => {
    const { activities } = scriptedHost({
      settleCheckpoint: async () => {
        throw ApplicationFailure.nonRetryable('the disk is read-only', 'infrastructure');
      },
    });
    await withHost('unsettled', activities, async () => {
      const handle = await start('unsettled', miniatureSpec({ run: 'unsettled', host: 'unsettled' }));
      expect(await handle.result()).toMatchObject({ decision: 'promoted', promoted: { step: 4 } });
    });
  });
});
