import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';

const folder = new URL('../histories/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

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
  ])('hold a run that ended as %s', (ending) => {
    expect(files.filter((name) => name.startsWith(`train-pipeline_${ending}_`))).not.toHaveLength(0);
  });

  it.each(files)('%s replays to the same commands', async (name) => {
    const history: unknown = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
    const workflowId = name.split('_')[1] === 'activity-retried' ? 'train/retried' : undefined;
    await Worker.runReplayHistory({ workflowBundle: { code } }, history, workflowId);
  });
});
