import type { NightlyTarget } from '../../activities/open-nightly.ts';
import { checkpoint } from './scripted-host.ts';

/** What the night of a run measures: a checkpoint that was promoted with an accuracy of 80 %. Nobody is told of it. */
export const nightlyTarget = (name: string, workflowId: string): NightlyTarget => ({
  name: 'digits',
  run: { run: name, dir: `/runs/${name}`, workflowId },
  startSeconds: 60,
  data: { kind: 'dataset', path: '/runs/test/data', digest: 'data', details: {} },
  model: { modelName: 'promoted', checkpoint: 'checkpoint-4', model: checkpoint(4), occasion: '2030-01-02' },
  promotion: {
    run: 'test',
    dir: '/runs/test',
    at: '2030-01-01T00:00:00Z',
    decision: 'promoted',
    why: 'it is better',
    checkpoint: checkpoint(4),
    data: { kind: 'dataset', path: '/runs/test/data', digest: 'data', details: {} },
    accuracy: 0.8,
  },
  notify: null,
});
