import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowFailedError,
} from '@temporalio/client';
import { expect, test } from 'vitest';
import { runFailure } from '../../cli/run-failure.ts';

const ended = (cause: Error) => new WorkflowFailedError('Workflow execution ended', cause, undefined as never);

test('a run that somebody ended was cancelled, and is no outage', () => {
  expect(runFailure(ended(new CancelledFailure('Workflow canceled')))).toEqual({
    type: 'cancelled',
    message: 'Workflow canceled',
  });
  expect(runFailure(ended(new TerminatedFailure('Workflow execution terminated')))).toMatchObject({
    type: 'cancelled',
  });
});

test('a typed failure keeps its class, and one of Temporal alone is an outage', () => {
  const stall = ApplicationFailure.create({ type: 'stall', message: 'no progress' });
  expect(runFailure(ended(stall))).toEqual({ type: 'stall', message: 'no progress' });
  const late = new TimeoutFailure('it took too long', undefined, 'START_TO_CLOSE');
  expect(runFailure(ended(late))).toEqual({ type: 'infrastructure', message: 'it took too long' });
});
