import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findProcesses } from '../../processes/find-processes.ts';
import { inspect } from '../../processes/inspect.ts';
import { launch } from '../../processes/launch.ts';
import { readLedger, writeLedger } from '../../processes/ledger.ts';
import { stopTree } from '../../processes/stop-tree.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { waitFor } from './wait-for.ts';

vi.setConfig({ testTimeout: 30_000 });

const start = async (script: string, env: Record<string, string> = {}) => {
  const dir = join(await temporaryFolder(), 'program');
  const id = `test/${randomUUID()}`;
  onTestFinished(async () => {
    await stopTree({ processId: id, dir, graceMs: 0 });
  });
  const ledger = await launch({ id, runId: id, command: ['/bin/sh', '-c', script], cwd: '/', env, dir });
  return { dir, id, ledger };
};

const ended = (dir: string) =>
  waitFor('the end of the program', async () => {
    const seen = await inspect(dir);
    return seen.state === 'running' ? undefined : seen;
  });

test('a folder where nothing was started is absent', async () => {
  expect(await inspect(await temporaryFolder())).toEqual({ state: 'absent' });
});

test('the exit code, the output and the ids in the environment are kept', async () => {
  const { dir, id } = await start('echo "$LENSMITH_RUN_ID $LENSMITH_PROCESS_ID $OWN"; echo problem >&2; exit 3', {
    OWN: 'value',
  });
  expect(await ended(dir)).toMatchObject({ state: 'exited', code: 3, signal: null });
  expect(await readFile(join(dir, 'output.log'), 'utf8')).toBe(`${id} ${id} value\nproblem\n`);
});

test('a program ended by a signal names it', async () => {
  const { dir } = await start('kill -9 $$');
  expect(await ended(dir)).toMatchObject({ state: 'exited', code: 137, signal: 'SIGKILL' });
});

test('a command that does not exist ends with 127 and says so in the log', async () => {
  const dir = await temporaryFolder();
  const id = `test/${randomUUID()}`;
  await launch({ id, runId: id, command: ['/nowhere/program'], cwd: '/', dir });
  expect(await ended(dir)).toMatchObject({ state: 'exited', code: 127 });
  expect(await readFile(join(dir, 'output.log'), 'utf8')).toContain('/nowhere/program');
});

test('a folder to work in that does not exist is an error that names it', async () => {
  const dir = await temporaryFolder();
  const options = { id: 'test/none', runId: 'test', command: ['true'], cwd: join(dir, 'none'), dir };
  await expect(launch(options)).rejects.toMatchObject({ type: 'infrastructure', where: join(dir, 'none') });
});

test('a second start into the folder of a running program is refused', async () => {
  const { dir, id } = await start('sleep 60');
  const again = launch({ id, runId: id, command: ['true'], cwd: '/', dir });
  await expect(again).rejects.toThrow(/still runs/);
  expect(findProcesses({ processId: id })).not.toEqual([]);
});

test('SIGTERM to the whole session leaves the exit code', async () => {
  const { dir, ledger } = await start('trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done');
  await waitFor(
    'the handler',
    async () => (await readFile(join(dir, 'output.log'), 'utf8')).includes('ready') || undefined,
  );
  process.kill(-(ledger.process?.pid ?? Number.NaN), 'SIGTERM');
  expect(await ended(dir)).toMatchObject({ state: 'exited', code: 9 });
});

test('a program whose wrapper was killed too is lost', async () => {
  const { dir, ledger } = await start('sleep 60');
  process.kill(-(ledger.process?.pid ?? Number.NaN), 'SIGKILL');
  expect(await ended(dir)).toMatchObject({ state: 'lost' });
});

test('a pid that another process has now is not taken for the program', async () => {
  const { dir, ledger } = await start('sleep 60');
  if (!ledger.process) throw new Error('expected a pid');
  await writeLedger(dir, { ...ledger, process: { ...ledger.process, startTicks: ledger.process.startTicks - 1 } });
  expect(await inspect(dir)).toMatchObject({ state: 'lost' });
  await writeLedger(dir, { ...ledger, process: { ...ledger.process, bootId: 'another boot' } });
  expect(await inspect(dir)).toMatchObject({ state: 'lost' });
  await writeLedger(dir, ledger);
  expect(await inspect(dir)).toMatchObject({ state: 'running' });
});

test('a launcher that died before it wrote the pid has left a program that is found', async () => {
  const { dir, ledger } = await start('setsid sleep 60 & sleep 60');
  await writeLedger(dir, { ...ledger, process: null });
  expect(await inspect(dir)).toMatchObject({ state: 'running', ledger: { process: ledger.process } });
  expect((await readLedger(dir))?.process).toEqual(ledger.process);
});

test('an intent without a program is lost', async () => {
  const { dir, ledger } = await start('true');
  await ended(dir);
  await writeLedger(dir, { ...ledger, launch: randomUUID(), process: null });
  expect(await inspect(dir)).toMatchObject({ state: 'lost' });
});

test('kill -9 of the launcher leaves the program, its output and its exit code', async () => {
  const dir = await temporaryFolder();
  const id = `test/${randomUUID()}`;
  onTestFinished(async () => {
    await stopTree({ processId: id, dir, graceMs: 0 });
  });
  const fixture = fileURLToPath(new URL('fixtures/launch-and-wait.ts', import.meta.url));
  const script = `while [ ! -e '${dir}/go' ]; do sleep 0.05; done; echo finished; exit 7`;
  const launcher = spawn(process.execPath, [fixture, dir, id, '/bin/sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(launcher.stdout, 'data');
  const gone = once(launcher, 'exit');
  launcher.kill('SIGKILL');
  await gone;

  expect(await inspect(dir)).toMatchObject({ state: 'running' });
  await launch({ id: `${id}/go`, runId: id, command: ['touch', join(dir, 'go')], cwd: '/', dir: join(dir, 'touch') });
  expect(await ended(dir)).toMatchObject({ state: 'exited', code: 7, signal: null });
  expect(await readFile(join(dir, 'output.log'), 'utf8')).toBe('finished\n');
});
