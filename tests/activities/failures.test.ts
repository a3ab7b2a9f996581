import { ActivityFailure, ApplicationFailure, CancelledFailure, RetryState } from '@temporalio/common';
import { expect, test } from 'vitest';
import { failureTypeOf, toApplicationFailure, typedFailureOf, withTypedFailures } from '../../activities/failures.ts';
import { failureTypes, LensmithError } from '../../domain/errors.ts';

test.each(failureTypes)('%s keeps its name, and is tried again only where that can help', (type) => {
  const failure = toApplicationFailure(new LensmithError(type, 'expected a thing', { where: 'rl.steps' }));
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({
    type,
    message: 'rl.steps: expected a thing',
    nonRetryable: ['config', 'data', 'auth', 'crash_loop', 'budget', 'cancelled', 'undecided'].includes(type),
  });
});

test('keeps what the next attempt has to know', () => {
  const details = { attempt: 2, step: 7, remedy: 'microBatchSize 8 → 4' };
  const failure = toApplicationFailure(new LensmithError('out_of_memory', 'needed 9 GiB', { details }));
  expect(failure).toMatchObject({ details: [details] });
});

test('keeps the cause', () => {
  const cause = new Error('connection refused');
  expect(toApplicationFailure(new LensmithError('infrastructure', 'no answer', { cause }))).toMatchObject({ cause });
});

test.each(['ENOSPC', 'EDQUOT'])('%s of the file system is a full disk', (code) => {
  const error = Object.assign(new Error('write failed'), { code });
  expect(toApplicationFailure(error)).toMatchObject({ type: 'disk_full', cause: error });
});

test('what is typed already and what nobody expected go through as they are', () => {
  const cancelled = new CancelledFailure('stop');
  const typed = ApplicationFailure.create({ type: 'stall' });
  const unexpected = new TypeError('x is not a function');
  for (const error of [cancelled, typed, unexpected]) expect(toApplicationFailure(error)).toBe(error);
  expect(toApplicationFailure('a string')).toMatchObject({ message: 'a string' });
});

test('every activity of a table throws typed failures and gives its result', async () => {
  const table = withTypedFailures({
    fails: async () => {
      throw new LensmithError('data', 'row 3 has no image', { where: 'rl.parquet' });
    },
    doubles: async (value: number) => 2 * value,
  });
  await expect(table.fails()).rejects.toMatchObject({ type: 'data', message: 'rl.parquet: row 3 has no image' });
  expect(await table.doubles(4)).toBe(8);
});

test('the class is found below the wrappers of Temporal', () => {
  const inner = ApplicationFailure.create({ type: 'out_of_memory', message: 'needed 9 GiB' });
  const wrapped = new ActivityFailure(
    'Activity task failed',
    'trainRl',
    '1',
    RetryState.MAXIMUM_ATTEMPTS_REACHED,
    'w',
    inner,
  );
  expect(typedFailureOf(wrapped)).toEqual({ type: 'out_of_memory', message: 'needed 9 GiB' });
  expect(failureTypeOf(ApplicationFailure.create({ type: 'TypeError' }))).toBeUndefined();
});
