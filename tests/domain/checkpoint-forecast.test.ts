import { expect, test } from 'vitest';
import { type CheckpointPlan, forecastCheckpoints } from '../../domain/checkpoint-forecast.ts';

const logs = 2 ** 29;
const plan = (changes: Partial<CheckpointPlan> = {}): CheckpointPlan => ({
  parameters: 1000,
  measuredBytes: null,
  steps: 100,
  firstStep: 0,
  saveEvery: 10,
  keep: 3,
  evaluated: false,
  existing: 0,
  ...changes,
});

test('a checkpoint has float32 weights and two moments, twelve bytes a parameter', () => {
  // Three are kept and a fourth is written before one goes; then the model.
  expect(forecastCheckpoints(plan())).toEqual({
    checkpointBytes: 12_000,
    checkpoints: 4,
    bytes: 4 * 12_000 + 4000 + logs,
  });
});

test('checkpoints that are evaluated need room for the best and for one that waits', () => {
  expect(forecastCheckpoints(plan({ evaluated: true })).checkpoints).toBe(6);
});

test('a short stage needs no more than it saves, and one that keeps all needs all', () => {
  expect(forecastCheckpoints(plan({ steps: 15 })).checkpoints).toBe(2);
  expect(forecastCheckpoints(plan({ keep: null })).checkpoints).toBe(10);
});

test('what lies there already is not counted again, but the next one is written before one goes', () => {
  const resumed = { measuredBytes: 20_000, firstStep: 50, existing: 3 };
  expect(forecastCheckpoints(plan(resumed))).toEqual({
    checkpointBytes: 20_000,
    checkpoints: 1,
    bytes: 20_000 + 4000 + logs,
  });
  expect(forecastCheckpoints(plan({ ...resumed, existing: 9 })).checkpoints).toBe(1);
  expect(forecastCheckpoints(plan({ ...resumed, firstStep: 100 })).checkpoints).toBe(0);
});
