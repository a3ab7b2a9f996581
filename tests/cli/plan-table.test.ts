import { expect, test } from 'vitest';
import { planTable } from '../../cli/plan-table.ts';

test('a plan shows what each stage would do, why, with what and where to', () => {
  const table = planTable('digits-1', [
    {
      stage: 'sft',
      action: 'resume',
      step: 40,
      why: 'newest whole checkpoint is /x',
      gpus: 2,
      command: ['python', '-m', 'lensmith_trainers.sft'],
      outputs: ['/runs/digits-1/sft'],
    },
    { stage: 'report', action: 'run', step: null, why: 'always', gpus: 0, command: [], outputs: [] },
  ]);
  expect(table).toBe(`plan of digits-1

sft: resume@40 — newest whole checkpoint is /x
  GPUs     2
  command  python -m lensmith_trainers.sft
  output   /runs/digits-1/sft

report: run — always
  GPUs     0
`);
});
