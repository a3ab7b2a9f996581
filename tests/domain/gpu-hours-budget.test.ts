import { expect, test } from 'vitest';
import { budgetStop, budgetWarning, forecastHours } from '../../domain/gpu-hours-budget.ts';
import { budgetUnit, heldBy } from '../../domain/gpu-hours-resources.ts';

const pace = { step: 40, total: 100, hoursPerStep: 0.5, saveEvery: 20 };

test('the forecast goes on at the pace of the steps so far', () => {
  expect(forecastHours(25, pace)).toBe(55);
  expect(forecastHours(25, { ...pace, hoursPerStep: null })).toBeNull();
});

test('a warning is due at the share, or where the forecast is beyond the limit', () => {
  const state = { limit: 100, warning: 0.8, used: 40, forecast: 70 };
  expect(budgetWarning(state)).toBeUndefined();
  expect(budgetWarning({ ...state, forecast: 120 })).toContain('ends at 120.0 unit hours');
  expect(budgetWarning({ ...state, used: 80 })).toContain('80 %');
});

test('a stage stops at the checkpoint beyond which the budget would be used up', () => {
  // The next checkpoint costs 20 × 0.5 = 10 hours.
  expect(budgetStop({ limit: 40, used: 30 }, pace)).toBeUndefined();
  expect(budgetStop({ limit: 39, used: 30 }, pace)).toContain('would take them to 40.0');
  expect(budgetStop({ limit: 30, used: 30 }, { ...pace, hoursPerStep: null })).toContain('are used');
  // Five steps are left, 2.5 hours.
  expect(budgetStop({ limit: 33, used: 30 }, { ...pace, step: 95 })).toBeUndefined();
});

test('a stage that has done its last step is let go to its end', () => {
  expect(budgetStop({ limit: 1, used: 30 }, { ...pace, step: 100 })).toBeUndefined();
});

test('GPUs count where there are any, processor slots where there are none', () => {
  const none = { sft: 0, judge: 0, rl: 0, evaluation: 0 };
  expect(budgetUnit({ device: 'cpu', gpus: none })).toBe('cpu-slot');
  expect(budgetUnit({ device: 'cpu', gpus: { ...none, judge: 1 } })).toBe('gpu');
  expect(budgetUnit({ device: 'cuda', gpus: none })).toBe('gpu');
  expect(heldBy({ device: 'cpu' }, 0, 2)).toEqual({ unit: 'cpu-slot', count: 2 });
  expect(heldBy({ device: 'cuda' }, 0, 2)).toEqual({ unit: 'gpu', count: 1 });
  expect(heldBy({ device: 'cuda' }, 8, 2)).toEqual({ unit: 'gpu', count: 8 });
});
