import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findByEnvironment, findProcesses, listProcesses } from '../../processes/find-processes.ts';
import { inspect, launch } from '../../processes/launch.ts';
import { stopTree } from '../../processes/stop-tree.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { waitFor } from './wait-for.ts';

vi.setConfig({ testTimeout: 30_000 });

const start = async (script: string) => {
  const dir = join(await temporaryFolder(), 'program');
  const id = `test/${randomUUID()}`;
  onTestFinished(async () => {
    await stopTree({ processId: id, dir, graceMs: 0 });
    await stopTree({ runId: id, graceMs: 0 });
  });
  await launch({ id, runId: id, command: ['/bin/sh', '-c', `${script}\necho ready\nsleep 300`], cwd: '/', dir });
  await waitFor(
    'the script',
    async () => (await readFile(join(dir, 'output.log'), 'utf8')).includes('ready') || undefined,
  );
  return { dir, id };
};

const isAlive = (pid: number): boolean => listProcesses().some((info) => info.pid === pid);

test('a program that ends on SIGTERM is not killed, and its end is told', async () => {
  const { dir, id } = await start('true');
  const { terminated, killed } = await stopTree({ processId: id, dir });
  expect(killed).toEqual([]);
  expect(terminated.some(({ command }) => command === 'sleep 300')).toBe(true);
  expect(findProcesses({ processId: id })).toEqual([]);
  expect(await inspect(dir)).toMatchObject({ state: 'exited', signal: 'SIGTERM' });
});

test('what has left the session is stopped', async () => {
  const { dir, id } = await start('setsid sleep 301 & setsid setsid sleep 302 &');
  await waitFor(
    'both',
    () => findProcesses({ processId: id }).filter(({ command }) => /^sleep 30[12]/.test(command))[1],
  );
  await stopTree({ processId: id, dir });
  expect(findProcesses({ processId: id })).toEqual([]);
});

test('what ignores SIGTERM is killed and named', async () => {
  const { dir, id } = await start(`trap '' TERM; setsid sleep 303 &`);
  const { killed } = await stopTree({ processId: id, dir, graceMs: 200 });
  expect(killed.map(({ command }) => command)).toEqual(expect.arrayContaining(['sleep 300', 'sleep 303']));
  expect(findProcesses({ processId: id })).toEqual([]);
});

test('what cleared its environment is found by its session and by its parent', async () => {
  const { dir, id } = await start('env -i sleep 304 & env -i setsid sh -c "sleep 305; true" &');
  const pidOf = (command: string) =>
    waitFor(command, () => listProcesses().find((info) => info.command === command)?.pid);
  const pids = [await pidOf('sleep 304'), await pidOf('sleep 305')];
  await stopTree({ processId: id, dir });
  expect(pids.map(isAlive)).toEqual([false, false]);
});

test('what cleared its environment and ignores SIGTERM is killed after its parent has ended', async () => {
  const { dir, id } = await start(`env -i setsid sh -c "trap '' TERM; exec sleep 308" &`);
  const pid = await waitFor('sleep 308', () => listProcesses().find(({ command }) => command === 'sleep 308')?.pid);
  const { killed } = await stopTree({ processId: id, dir, graceMs: 500 });
  expect(killed.map(({ command }) => command)).toEqual(['sleep 308']);
  expect(isAlive(pid)).toBe(false);
});

test('a program of its own below it lives on, and a stop by the run takes it too', async () => {
  const { dir, id } = await start(
    `LENSMITH_PROCESS_ID=other-$LENSMITH_PROCESS_ID setsid sh -c 'env -i sleep 306 & sleep 307' &`,
  );
  const own = () => findByEnvironment({ LENSMITH_PROCESS_ID: `other-${id}` });
  await waitFor('the other program', () => own()[1]);
  await stopTree({ processId: id, dir });
  expect(own()).not.toEqual([]);
  await stopTree({ runId: id });
  expect(own()).toEqual([]);
  // Its child without an environment has no parent of ours any more only if it is gone as well.
  expect(listProcesses().filter(({ command }) => command === 'sleep 306')).toEqual([]);
});

test('a program that has ended already is no error', async () => {
  const dir = await temporaryFolder();
  expect(await stopTree({ processId: `test/${randomUUID()}`, dir })).toEqual({ terminated: [], killed: [] });
});
