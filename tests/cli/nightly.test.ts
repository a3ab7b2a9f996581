import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTemporal } from '../support/local-temporal.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  temporal = await startTemporal();
});
afterAll(async () => {
  await temporal?.teardown();
});

const nightly = (...args: string[]) =>
  execa(process.execPath, [main, 'nightly', ...args], {
    reject: false,
    timeout: 30_000,
    env: { TEMPORAL_ADDRESS: temporal.address },
  });

test('a night has its next time while it is enabled, and none while it is not', async () => {
  await nightly('enable', 'digits', '--at', '01:05', '--timezone', 'Europe/Berlin');
  const list = async () => (await nightly('list')).stdout;
  await expect.poll(list, { timeout: 20_000 }).toMatch(/^digits: enabled; last never; next \d{4}-\d\d-\d\dT/);
  await nightly('disable', 'digits');
  await expect.poll(list, { timeout: 20_000 }).toBe('digits: disabled; last never; next none');
}, 60_000);

test.each([
  [['digits'], '--timezone', 'unknown time zone Mars/Phobos', ['--timezone', 'Mars/Phobos']],
  [['a b'], 'NAME', 'expected lower-case letters', []],
  [['digits'], '--host', 'expected lower-case letters', ['--host', 'Host 1']],
  [['digits'], '--at', 'expected a time such as 02:30', ['--at', '24:00']],
])('to enable %j is refused for its %s: %s', async (names, where, message, flags) => {
  const { exitCode, stderr } = await nightly('enable', ...names, ...flags);
  expect(stderr).toMatch(/^lensmith: config: [^\n]*$/);
  expect(stderr).toContain(`${where}: ${message}`);
  expect(exitCode).toBe(2);
});

test('a zone that is not known leaves an enabled night as it was', async () => {
  await nightly('enable', 'kept');
  const { exitCode, stderr } = await nightly('enable', 'kept', '--timezone', 'Mars/Phobos');
  expect(stderr).toContain('--timezone: unknown time zone Mars/Phobos');
  expect(exitCode).toBe(2);
  const { spec } = await temporal.client.schedule.getHandle('nightly/kept').describe();
  expect(spec.timezone).toBe('UTC');
});
