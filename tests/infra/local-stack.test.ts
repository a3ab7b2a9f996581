import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { stackDown } from '../../infra/local/stack-down.ts';
import { serviceDir, stackId } from '../../infra/local/stack-paths.ts';
import { readStackState } from '../../infra/local/stack-state.ts';
import { stackStatus } from '../../infra/local/stack-status.ts';
import { stackUp } from '../../infra/local/stack-up.ts';
import { findSupervisor } from '../../infra/local/supervisor-process.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { freePort, freePorts } from '../../processes/free-port.ts';
import { inspect } from '../../processes/launch.ts';
import { stopTree } from '../../processes/stop-tree.ts';
import { waitFor } from '../processes/wait-for.ts';
import { fakeServer, fakeWorker, temporaryHome } from './fake-stack.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const pidOf = async (home: string, name: string): Promise<number> => {
  const seen = await inspect(serviceDir(home, name));
  if (seen.state !== 'running' || !seen.ledger.process) throw new Error(`expected ${name} to run, got ${seen.state}`);
  return seen.ledger.process.pid;
};

const ask = async (port: number, path = '/'): Promise<string | undefined> =>
  fetch(`http://127.0.0.1:${port}${path}`).then(
    (response) => response.text(),
    () => undefined,
  );

const living = (home: string) => findProcesses({ runId: stackId(home) });

test('up says what it starts, a second up finds it, and down leaves nothing', async () => {
  const home = await temporaryHome();
  const port = await freePort();
  const lines: string[] = [];
  const options = { home, table: () => [fakeServer('web', port)], write: (line: string) => lines.push(line) };

  const state = await stackUp(options);
  const pid = await pidOf(home, 'web');
  expect(lines).toEqual([
    expect.stringMatching(/^supervisor: started \(pid \d+\)$/),
    expect.stringMatching(new RegExp(`^web: ready after .* \\(pid ${pid}\\), http://127.0.0.1:${port}$`)),
  ]);
  expect(await readStackState(home)).toEqual(state);

  lines.length = 0;
  expect(await stackUp(options)).toEqual(state);
  expect(lines).toEqual([
    expect.stringMatching(/^supervisor: runs/),
    expect.stringContaining(`web: runs (pid ${pid})`),
  ]);
  expect(await stackStatus({ home })).toBe(true);

  await stackDown({ home });
  expect(living(home)).toEqual([]);
  expect(await stackStatus({ home, write: (line) => lines.push(line) })).toBe(false);
  expect(lines.at(-1)).toMatch(/no stack runs/);
});

test.each([
  ['is killed', (pid: number) => process.kill(pid, 'SIGKILL'), /gone|SIGKILL/],
  ['ends by itself', (_: number, port: number) => ask(port, '/exit/4'), /exit code 4/],
])('a service that %s is started again at its port', async (_, end, note) => {
  const home = await temporaryHome();
  const [port = 0, other = 0] = await freePorts(2);
  await stackUp({ home, table: () => [fakeServer('web', port), fakeServer('other', other)] });
  const untouched = await pidOf(home, 'other');
  const first = await waitFor('an answer', () => ask(port));
  await end(Number(first), port);
  await waitFor('another process', async () => {
    const answer = await ask(port);
    return answer !== undefined && answer !== first ? answer : undefined;
  });
  expect(await pidOf(home, 'other')).toBe(untouched);
  const lines: string[] = [];
  await waitFor(
    'the status',
    async () => (await stackStatus({ home, write: (line) => lines.push(line) })) || undefined,
  );
  expect(lines.find((line) => line.startsWith('web'))).toMatch(note);
});

test('a service that hangs is stopped and started again, also where it cannot be asked to end', async () => {
  const home = await temporaryHome();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const alive = { probes: [{ kind: 'http' as const, url }], everyMs: 100, misses: 2 };
  await stackUp({ home, table: () => [fakeServer('web', port, { alive })] });
  const first = await waitFor('an answer', () => ask(port));
  // The supervisor has to have seen it at work.
  await delay(2000);
  process.kill(Number(first), 'SIGSTOP');
  const next = await waitFor(
    'another process',
    async () => {
      const answer = await fetch(url, { signal: AbortSignal.timeout(500) }).then(
        (response) => response.text(),
        () => undefined,
      );
      return answer !== undefined && answer !== first ? answer : undefined;
    },
    40_000,
  );
  expect(living(home).map(({ pid }) => pid)).toContain(Number(next));
  expect(living(home).map(({ pid }) => pid)).not.toContain(Number(first));
});

test('a worker without a pulse is started again, one with a pulse is left alone', async () => {
  const home = await temporaryHome();
  const [probe, everyMs, misses] = [{ kind: 'pulse' as const, withinSeconds: 1 }, 200, 2];
  const alive = { probes: [probe], everyMs, misses };
  const beating = { LENSMITH_HOME: `${home}/beating`, PULSE_MS: '100' };
  // The program of this worker belongs to another home, which the end of the stack leaves alone.
  onTestFinished(async () => {
    await stopTree({ runId: `run-of-${home}/beating`, graceMs: 0 });
  });
  await stackUp({
    home,
    table: () => [fakeWorker('silent', home, { alive }), fakeWorker('beating', home, { alive, env: beating })],
  });
  const [silent, steady] = [await pidOf(home, 'silent'), await pidOf(home, 'beating')];
  await waitFor('another process', async () =>
    (await pidOf(home, 'silent').catch(() => silent)) !== silent ? true : undefined,
  );
  expect(await pidOf(home, 'beating')).toBe(steady);
});

test('a supervisor that is started again takes over what runs', async () => {
  const home = await temporaryHome();
  const port = await freePort();
  const options = { home, table: () => [fakeServer('web', port)] };
  await stackUp(options);
  const pid = await pidOf(home, 'web');
  const supervisor = await findSupervisor(home);
  process.kill(-(supervisor?.process?.pid ?? Number.NaN), 'SIGKILL');
  await waitFor('the end of the supervisor', async () => ((await findSupervisor(home)) ? undefined : true));
  expect(await stackStatus({ home })).toBe(false);

  await stackUp(options);
  expect(await pidOf(home, 'web')).toBe(pid);
  const first = await ask(port);
  process.kill(Number(first), 'SIGKILL');
  await waitFor('the new supervisor to start it again', async () => {
    const answer = await ask(port);
    return answer !== undefined && answer !== first ? answer : undefined;
  });
});

test('a port in use fails before anything is started', async () => {
  const home = await temporaryHome();
  const busy = await temporaryHome();
  const port = await freePort();
  await stackUp({ home: busy, table: () => [fakeServer('web', port)] });
  const failed = stackUp({ home, table: () => [fakeServer('late', port)] });
  await expect(failed).rejects.toThrow(new RegExp(`late needs port ${port} .*in use by process \\d+ \\(.*fake-server`));
  expect(living(home)).toEqual([]);
});

test.each([
  [
    'ends at once',
    ['/bin/sh', '-c', 'echo cannot read its model >&2; exit 5'],
    /\(exit code 5\)[\s\S]*cannot read its model/,
  ],
  ['does not exist', ['/nowhere/server'], /\(exit code 127\)[\s\S]*\/nowhere\/server/],
])('a service that %s fails the start with the end of its log, and nothing is left', async (_, command, message) => {
  const home = await temporaryHome();
  const [port = 0, good = 0] = await freePorts(2);
  const table = () => [fakeServer('good', good), fakeServer('broken', port, { command })];
  const error = await stackUp({ home, table }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ type: 'infrastructure', where: join(serviceDir(home, 'broken'), 'output.log') });
  expect(String(error)).toMatch(message);
  expect(living(home)).toEqual([]);
});

test('a service that is never ready fails at the deadline', async () => {
  const home = await temporaryHome();
  const table = () => [fakeWorker('mute', home, { command: ['sleep', '600'] })];
  await expect(stackUp({ home, table, deadlineMs: 1500 })).rejects.toThrow(/mute was not ready in time/);
  expect(living(home)).toEqual([]);
});

test('a service starts only when what it needs is ready', async () => {
  const home = await temporaryHome();
  const port = await freePort();
  const gate = join(home, 'gate');
  const server = fakeServer('base', port, { ready: { kind: 'command', command: ['test', '-e', gate] } });
  const up = stackUp({ home, table: () => [fakeWorker('worker', home, { after: ['base'] }), server] });
  await waitFor('the server', () => ask(port));
  // Several looks of the supervisor pass.
  await delay(1500);
  expect((await inspect(serviceDir(home, 'worker'))).state).toBe('absent');
  await writeFile(gate, '');
  await up;
  expect(await readFile(join(home, 'stack', 'worker.ready'), 'utf8')).toMatch(/^\d+$/);
  await rm(gate);
});

test('programs of runs outlive their worker, are listed, and are stopped with the stack', async () => {
  const home = await temporaryHome();
  await stackUp({ home, table: () => [fakeWorker('worker', home)] });
  const program = () => findProcesses({ processId: `run-of-${home}/sft/1` });
  const before = program().map(({ pid }) => pid);
  expect(before).not.toEqual([]);

  process.kill(-(await pidOf(home, 'worker')), 'SIGKILL');
  await waitFor('the end of the worker', async () =>
    (await inspect(serviceDir(home, 'worker'))).state === 'running' ? undefined : true,
  );
  expect(program().map(({ pid }) => pid)).toEqual(before);
  const lines: string[] = [];
  await stackStatus({ home, write: (line) => lines.push(line) });
  expect(lines).toContainEqual(expect.stringContaining(`program run-of-${home}/sft/1: pid ${before[0]}`));

  await stackDown({ home });
  expect(program()).toEqual([]);
});

test('stacks of two homes live side by side', async () => {
  const [one, two] = [await temporaryHome(), await temporaryHome()];
  const ports = await freePorts(2);
  const up = (home: string, port: number) => stackUp({ home, table: () => [fakeServer('web', port)] });
  await Promise.all([up(one, ports[0] ?? 0), up(two, ports[1] ?? 0)]);
  const pid = await pidOf(two, 'web');
  await stackDown({ home: one });
  expect(living(one)).toEqual([]);
  expect(await pidOf(two, 'web')).toBe(pid);
  expect(await stackStatus({ home: two })).toBe(true);
});

test('two calls at a time start one stack', async () => {
  const home = await temporaryHome();
  const port = await freePort();
  const options = { home, table: () => [fakeServer('web', port)] };
  await Promise.all([stackUp(options), stackUp(options)]);
  expect(
    living(home).filter(({ command }) => command.includes('fake-server') && !command.includes('record-exit')),
  ).toHaveLength(1);
});

test('a name that no service has is refused with the known ones', async () => {
  const home = await temporaryHome();
  const up = stackUp({ home, table: () => [fakeServer('web', 1)], only: ['wep'] });
  await expect(up).rejects.toThrow(/expected services among web, got wep/);
});

test('the addresses stay when the stack goes down and comes up again', async () => {
  const home = await temporaryHome();
  const [port = 0, temporal = 0] = await freePorts(2);
  const table = () => [fakeServer('web', port)];
  const first = await stackUp({ home, table, ports: { temporal } });
  expect(first.environment.TEMPORAL_ADDRESS).toBe(`127.0.0.1:${temporal}`);
  await stackDown({ home });
  expect((await stackUp({ home, table })).ports).toEqual(first.ports);
});
