import { afterEach, expect, test, vi } from 'vitest';
import { withBeats } from '../../activities/with-beats.ts';
import { activityContext } from './in-activity.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('an activity beats as long as it works, and no longer', async () => {
  vi.useFakeTimers();
  const { run, heartbeats } = activityContext();
  let finish = (_value: string): void => undefined;
  const table = withBeats({
    read: (name: string) =>
      new Promise<string>((resolve) => {
        finish = (value) => resolve(`${name}: ${value}`);
      }),
  });
  const result = run(() => table.read('spec'));
  await vi.advanceTimersByTimeAsync(9000);
  expect(heartbeats).toHaveLength(4);
  finish('read');
  expect(await result).toBe('spec: read');
  await vi.advanceTimersByTimeAsync(9000);
  expect(heartbeats).toHaveLength(4);
});

test('an activity that fails beats no more', async () => {
  vi.useFakeTimers();
  const { run, heartbeats } = activityContext();
  const table = withBeats({
    read: async (): Promise<never> => {
      throw new Error('no file');
    },
  });
  await expect(run(() => table.read())).rejects.toThrow('no file');
  await vi.advanceTimersByTimeAsync(9000);
  expect(heartbeats).toEqual([]);
});
