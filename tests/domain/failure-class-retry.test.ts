import fc from 'fast-check';
import { expect, test } from 'vitest';
import { failureTypes, isPermanentFailure } from '../../domain/errors.ts';
import { type RetryBudgets, retryBudgetsSchema } from '../../domain/failure-class.ts';
import { decideRetry, type StageFailure } from '../../domain/failure-class-retry.ts';

const budgets = (changes: Partial<RetryBudgets> = {}): RetryBudgets => ({
  ...retryBudgetsSchema.parse({}),
  ...changes,
});

const decide = (failures: StageFailure[], changes: Partial<RetryBudgets> = {}, attempts = 5) =>
  decideRetry(failures, budgets(changes), attempts);

const times = (count: number, failure: StageFailure): StageFailure[] => Array.from({ length: count }, () => failure);

test('waits double within a class, up to its longest', () => {
  const nccl: StageFailure = { type: 'nccl', step: null };
  expect([1, 2, 3, 4, 5].map((count) => decide(times(count, nccl)))).toEqual([
    { retry: true, seconds: 10, left: 4 },
    { retry: true, seconds: 20, left: 3 },
    { retry: true, seconds: 40, left: 2 },
    { retry: true, seconds: 80, left: 1 },
    { retry: true, seconds: 160, left: 0 },
  ]);
  expect(decide(times(15, { type: 'worker_lost', step: null }))).toMatchObject({ retry: true, seconds: 60 });
});

test('a budget that is used up ends the stage and is named', () => {
  expect(decide(times(3, { type: 'stall', step: null }))).toEqual({
    retry: false,
    type: 'stall',
    why: 'the retries after this class are used up (limits.retries.stall = 2)',
  });
});

test('each class has a budget of its own', () => {
  const failures: StageFailure[] = [
    ...times(4, { type: 'infrastructure', step: null }),
    ...times(5, { type: 'port', step: null }),
    { type: 'nccl', step: null },
  ];
  expect(decide(failures)).toEqual({ retry: true, seconds: 10, left: 4 });
});

test('failures without a class of their own keep to limits.attempts unless their budget is given', () => {
  const failures = times(2, { type: 'infrastructure', step: null });
  expect(decide(failures, {}, 2)).toMatchObject({ retry: false, why: expect.stringContaining('limits.attempts = 2') });
  expect(decide(failures, { infrastructure: 7 }, 2)).toMatchObject({ retry: true, left: 5 });
});

test('a full disk ends the stage at once, unless the spec waits for somebody to make room', () => {
  expect(decide([{ type: 'disk_full', step: 4 }])).toEqual({ retry: false, type: 'disk_full', why: '' });
  expect(decide([{ type: 'disk_full', step: 4 }], { disk_full: 3 })).toMatchObject({ retry: true, seconds: 60 });
});

test('three failures that do not get past a step are a crash loop, whatever their classes', () => {
  const failures: StageFailure[] = [
    { type: 'infrastructure', step: 12 },
    { type: 'nccl', step: 12 },
    { type: 'infrastructure', step: 11 },
  ];
  expect(decide(failures.slice(0, 2))).toMatchObject({ retry: true });
  expect(decide(failures)).toMatchObject({ retry: false, type: 'crash_loop', why: expect.stringContaining('step 11') });
});

test('a new step begins the count anew', () => {
  const failures = [12, 12, 20, 20].map((step): StageFailure => ({ type: 'nccl', step }));
  expect(decide(failures)).toMatchObject({ retry: true });
  expect(decide([...failures, { type: 'nccl', step: 20 }])).toMatchObject({ type: 'crash_loop' });
});

test('what was done to a program from outside says nothing of its code', () => {
  expect(decide(times(6, { type: 'preemption', step: 12 }))).toMatchObject({ retry: true });
});

test('memory that ran out is tried with other parameters until none is left to change', () => {
  const failure = (remedy: string | null): StageFailure => ({ type: 'out_of_memory', step: 0, remedy });
  expect(decide([failure('8 → 4'), failure('4 → 2'), failure('2 → 1')])).toMatchObject({ retry: true });
  expect(decide([failure('2 → 1'), failure(null)])).toMatchObject({
    retry: false,
    type: 'out_of_memory',
    why: 'no parameter that may change is left to change',
  });
});

test('no list of failures is tried again for ever, and none that cannot be helped is tried again at all', () => {
  const failure = fc.record({
    type: fc.constantFrom(...failureTypes),
    step: fc.option(fc.integer({ min: 0, max: 50 })),
  });
  fc.assert(
    fc.property(fc.array(failure, { minLength: 1, maxLength: 120 }), (failures) => {
      const decision = decide(failures);
      const last = failures.at(-1);
      if (last && isPermanentFailure(last.type)) expect(decision.retry).toBe(false);
      if (decision.retry) {
        expect(decision.seconds).toBeGreaterThan(0);
        expect(decision.left).toBeGreaterThanOrEqual(0);
        expect(failures.filter(({ type }) => type === last?.type).length).toBeLessThanOrEqual(20);
      }
    }),
  );
});
