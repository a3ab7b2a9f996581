import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';

const folder = new URL('../histories/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

/** Where the id of the workflow is in what it does: a history does not hold it. */
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
    'completed',
    'cancelled',
    'activity-retried',
    'data-failure',
    'attempts-used-up',
    'class-retried',
    'budget-used-up',
    'crash-loop',
    'out-of-memory',
    'worker-lost',
    'paused-and-resumed',
    'cancelled-while-paused',
    'resumed-from-stage',
    'cloned',
    'notified',
    'leased',
    'lease-lost',
  ])('hold a run that ended as %s', (ending) => {
    expect(files.filter((name) => name.startsWith(`train-pipeline_${ending}_`))).not.toHaveLength(0);
  });

  it.each(files)('%s replays to the same commands', async (name) => {
    const history: unknown = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
    const workflowId = workflowIds[name.split('_')[1] ?? ''];
    await Worker.runReplayHistory({ workflowBundle: { code } }, history, workflowId);
  });
});
