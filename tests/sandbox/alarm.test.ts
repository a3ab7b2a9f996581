import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createAlarm } from '../../sandbox/alarm.ts';
import { waitFor } from '../processes/wait-for.ts';

const ring = () => {
  const times: number[] = [];
  return { times, alarm: createAlarm(() => void times.push(performance.now())) };
};

test('it rings once, not before the time that was set last, be that later or earlier', async () => {
  const { times, alarm } = ring();
  const started = performance.now();
  alarm.set(5);
  alarm.set(60);
  await waitFor('the alarm', async () => times[0]);
  expect(times[0]).toBeGreaterThanOrEqual(started + 60);
  alarm.set(60_000);
  alarm.set(5);
  await waitFor('the alarm again', async () => times[1]);
  await delay(20);
  expect(times.length).toBe(2);
});

test('a stopped one does not ring', async () => {
  const { times, alarm } = ring();
  alarm.set(5);
  alarm.stop();
  await delay(30);
  expect(times).toEqual([]);
});

test('one that is set for more than a timer takes sets no timer that rings at once', async () => {
  const warnings: string[] = [];
  const warned = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', warned);
  const { times, alarm } = ring();
  alarm.set(2 ** 31);
  await delay(30);
  alarm.stop();
  process.off('warning', warned);
  expect([times, warnings]).toEqual([[], []]);
});
