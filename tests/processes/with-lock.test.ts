import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { withLock } from '../../processes/with-lock.ts';

test('actions under one lock run one after another', async () => {
  const name = `test-${randomUUID()}`;
  let inside = 0;
  let most = 0;
  const action = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await delay(20);
    inside -= 1;
  };
  await Promise.all([withLock(name, action), withLock(name, action), withLock(name, action)]);
  expect(most).toBe(1);
});

test('an action that fails frees the lock', async () => {
  const name = `test-${randomUUID()}`;
  const failed = withLock(name, () => Promise.reject(new Error('of the action')));
  await expect(failed).rejects.toThrow('of the action');
  expect(await withLock(name, async () => 'free')).toBe('free');
});

test('a lock that another process holds is refused at the deadline, and is free once that process was killed', async () => {
  const name = `test-${randomUUID()}`;
  const fixture = fileURLToPath(new URL('fixtures/hold-lock.ts', import.meta.url));
  const holder = spawn(process.execPath, [fixture, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    holder.kill('SIGKILL');
  });
  await once(holder.stdout, 'data');
  await expect(withLock(name, async () => 'free', 300)).rejects.toMatchObject({ type: 'infrastructure', where: name });
  const gone = once(holder, 'exit');
  holder.kill('SIGKILL');
  await gone;
  expect(await withLock(name, async () => 'free')).toBe('free');
});
