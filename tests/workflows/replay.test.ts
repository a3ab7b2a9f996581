import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { failureTypes } from '../../domain/errors.ts';

const folder = new URL('../histories/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

/** For files that do not say it; what a workflow does may hold its id. */
const workflowIds: Readonly<Record<string, string>> = {
  'activity-retried': 'train/retried',
  notified: 'train/told',
  leased: 'train/leased',
  'lease-lost': 'train/robbed',
};

describe('saved histories', () => {
  let code: string;

  beforeAll(async () => {
    const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
    ({ code } = await bundleWorkflowCode({ workflowsPath }));
  });

  it.each([
    'train-pipeline_completed',
    'train-pipeline_cancelled',
    'train-pipeline_activity-retried',
    'train-pipeline_data-failure',
    'train-pipeline_attempts-used-up',
    'train-pipeline_class-retried',
    'train-pipeline_budget-used-up',
    'train-pipeline_crash-loop',
    'train-pipeline_out-of-memory',
    'train-pipeline_worker-lost',
    'train-pipeline_paused-and-resumed',
    'train-pipeline_cancelled-while-paused',
    'train-pipeline_resumed-from-stage',
    'train-pipeline_cloned',
    'train-pipeline_notified',
    'train-pipeline_leased',
    'train-pipeline_lease-lost',
    'train-pipeline_gang',
    'train-pipeline_judge-moved',
    'train-pipeline_evaluation-given-up',
    'evaluate-checkpoint_completed',
    'serve-model_stopped',
    'benchmark-suite_completed',
    'nightly-evaluation_regressed',
    'gpu-pool_continued-as-new',
    ...failureTypes.filter((type) => type !== 'cancelled').map((type) => `train-pipeline_failed-${type}`),
  ])('hold %s', (ending) => {
    expect(files.filter((name) => name.startsWith(`${ending}_`))).not.toHaveLength(0);
  });

  it.each(files)('%s replays to the same commands', async (name) => {
    const { workflowId, ...history } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as {
      workflowId?: string;
    };
    const id = workflowId ?? workflowIds[name.split('_')[1] ?? ''];
    await Worker.runReplayHistory({ workflowBundle: { code } }, history, id);
  });
});
