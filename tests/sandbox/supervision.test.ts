import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Isolation } from '../../domain/sandbox.ts';
import { openSandbox, type SandboxOptions } from '../../sandbox/open-sandbox.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { waitFor } from '../processes/wait-for.ts';
import { python } from './python.ts';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

const processes = async (): Promise<Process[]> => {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
      return state === undefined || state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), command }];
    }),
  );
  return found.flat();
};

/** The processes of sandboxes in a folder, and the folders that they left there. */
const leftIn = async (folder: string) => ({
  processes: (await processes()).filter(({ command }) => command.includes(folder)),
  folders: (await readdir(folder)).filter((name) => name.startsWith('lensmith-sandbox-')),
});

/** A sandbox whose temporary folder is the test's own, so that what it leaves can be told from others'. */
const openIn = async (options: Partial<SandboxOptions> = {}) => {
  const folder = await temporaryFolder();
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const sandbox = await openSandbox({ python, ...options });
  onTestFinished(() => sandbox.close());
  const forkServers = async (): Promise<number[]> => {
    const { processes: own } = await leftIn(folder);
    const pids = new Set(own.map(({ pid }) => pid));
    return own.filter(({ parent }) => !pids.has(parent)).map(({ pid }) => pid);
  };
  const forkServer = async (): Promise<number> => {
    const [first] = await forkServers();
    if (first === undefined) throw new Error('no fork server runs');
    return first;
  };
  return { folder, sandbox, forkServer, forkServers };
};

test('sixty-four sessions side by side keep their states apart', async () => {
  const { sandbox } = await openIn();
  const numbers = Array.from({ length: 64 }, (_, index) => index);
  const sessions = await Promise.all(numbers.map(() => sandbox.createSession({})));
  expect(sandbox.sessions()).toBe(64);
  await Promise.all(sessions.map((session, index) => session.execute({ code: `x = ${index}` })));
  const results = await Promise.all(sessions.map((session) => session.execute({ code: 'x' })));
  expect(results.map(({ stdout }) => Number(stdout))).toEqual(numbers);
  await Promise.all(sessions.map((session) => session.close()));
  expect(sandbox.sessions()).toBe(0);
});

test('calls of one session run one after the other', async () => {
  const { sandbox } = await openIn();
  const session = await sandbox.createSession({});
  await session.execute({ code: 'seen = []' });
  await Promise.all([0, 1, 2, 3].map((index) => session.execute({ code: `seen.append(${index})` })));
  expect((await session.execute({ code: 'seen' })).stdout).toBe('[0, 1, 2, 3]\n');
});

test('a killed fork server ends what runs as infrastructure, and the next session works', async () => {
  const { sandbox, forkServer, folder } = await openIn();
  const sessions = await Promise.all([1, 2, 3, 4].map(() => sandbox.createSession({})));
  await Promise.all(sessions.map((session) => session.execute({ code: 'x = 1' })));
  const running = sessions.map((session) => session.execute({ code: 'import time\ntime.sleep(12)' }));
  const late = sessions.map((session) => session.execute({ code: 'x' }));
  process.kill(await forkServer(), 'SIGKILL');
  const results = await Promise.all([...running, ...late]);
  expect(results.map(({ outcome, error }) => [outcome, error?.type])).toEqual(
    Array.from({ length: 8 }, () => ['infrastructure', 'SandboxLost']),
  );
  const opened = await Promise.all([1, 2, 3].map(() => sandbox.createSession({})));
  const again = await Promise.all(opened.map((session) => session.execute({ code: '1 + 1' })));
  expect(again.map(({ stdout }) => stdout)).toEqual(['2\n', '2\n', '2\n']);
  expect((await leftIn(folder)).folders).toHaveLength(1);
});

test('a spare fork server that dies by itself has a successor', async () => {
  const { sandbox, forkServer, forkServers } = await openIn({ spare: true });
  const first = await forkServer();
  const spareBut = (dead?: number) =>
    waitFor('a spare', async () => (await forkServers()).find((pid) => pid !== first && pid !== dead));
  const spare = await spareBut();
  process.kill(spare, 'SIGKILL');
  expect(await spareBut(spare)).not.toBe(spare);
  const session = await sandbox.createSession({});
  expect((await session.execute({ code: '1 + 1' })).stdout).toBe('2\n');
});

test('sessions that are asked for as the fork server dies open on the next one', async () => {
  const { sandbox, forkServer } = await openIn();
  for (const round of [1, 2]) {
    // The prepared ones are taken before anyone has heard of the death.
    process.kill(await forkServer(), 'SIGKILL');
    const call = { code: `${round} + 1` };
    const asked = Array.from({ length: 6 }, () => sandbox.createSession({}, call));
    const results = await Promise.all((await Promise.all(asked)).map((each) => each.execute(call)));
    // One that was prepared may have said that it is open, and then have died with the fork server: it is asked for anew.
    const lost = results.filter(({ outcome }) => outcome === 'infrastructure');
    const again = await Promise.all(lost.map(async () => (await sandbox.createSession({}, call)).execute(call)));
    const answered = [...results.filter((each) => !lost.includes(each)), ...again];
    expect(lost.length).toBeLessThanOrEqual(4);
    expect(answered.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 6 }, () => `${round + 1}\n`));
  }
});

test.each<Isolation>(['namespaces', 'none'])('a closed sandbox of isolation %s leaves nothing', async (isolation) => {
  const { sandbox, folder } = await openIn({ isolation });
  const sessions = await Promise.all([1, 2].map(() => sandbox.createSession({})));
  const daemon = 'import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\ntime.sleep(60)';
  const running = sessions.map((session) => session.execute({ code: daemon }));
  await waitFor('both calls to have forked', async () => {
    const own = (await leftIn(folder)).processes;
    // A server, and in each session the session, the holder, the call and its child.
    return own.length >= 9 ? own : undefined;
  });
  await sandbox.close();
  expect((await Promise.all(running)).map(({ outcome }) => outcome)).toEqual(['infrastructure', 'infrastructure']);
  await waitFor('every process to be gone', async () =>
    (await leftIn(folder)).processes.length === 0 ? true : undefined,
  );
  expect(await leftIn(folder)).toEqual({ processes: [], folders: [] });
  await expect(sandbox.createSession({})).rejects.toMatchObject({ type: 'infrastructure' });
});

test('isolation none says so, undoes failed calls and ends what a call leaves', async () => {
  const { sandbox, folder } = await openIn({ isolation: 'none', prepared: 0 });
  const session = await sandbox.createSession({ limits: { callSeconds: 2 } });
  const leaves = 'import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\nx = 1';
  expect(await session.execute({ code: leaves })).toMatchObject({ outcome: 'no_output', isolation: 'none' });
  // The server, the session, its interpreter and the snapshot.
  await waitFor('the daemon to be gone', async () =>
    (await leftIn(folder)).processes.length === 4 ? true : undefined,
  );
  await session.execute({ code: 'x = 2\nopen("a.txt", "w").close()\n1 / 0' });
  const after = await session.execute({ code: 'print(x, os.listdir())' });
  expect(after).toMatchObject({ outcome: 'ok', stdout: '1 []\n' });
});

test('a session without calls ends by itself', async () => {
  const { sandbox } = await openIn();
  const session = await sandbox.createSession({ idleSeconds: 0.2 });
  const ended = new Promise<void>((resolve) => session.onEnd(resolve));
  await ended;
  expect(sandbox.sessions()).toBe(0);
  expect(await session.execute({ code: '1' })).toMatchObject({ outcome: 'infrastructure' });
});

test('a full sandbox refuses, and takes sessions again when one has ended', async () => {
  const { sandbox } = await openIn({ maxSessions: 1 });
  const session = await sandbox.createSession({});
  await expect(sandbox.createSession({})).rejects.toMatchObject({ name: 'SandboxFullError', type: 'infrastructure' });
  await session.close();
  await (await sandbox.createSession({})).close();
});

test('an interpreter that is missing, and one without the libraries, is named', async () => {
  const folder = await temporaryFolder();
  const missing = join(folder, 'missing');
  await expect(openSandbox({ python: missing })).rejects.toMatchObject({ message: /cannot be started.*ENOENT/ });
  const bare = join(folder, 'bare');
  await writeFile(bare, `#!/bin/sh\nexec ${python} -S "$@"\n`, { mode: 0o755 });
  await expect(openSandbox({ python: bare })).rejects.toMatchObject({
    type: 'config',
    where: bare,
    message: expect.stringMatching(/No module named .* Install numpy, pillow/),
  });
});

test('a folder for temporary files whose path is too long for a socket is refused, and nothing is left in it', async () => {
  const folder = join(await temporaryFolder(), 'x'.repeat(100));
  await mkdir(folder);
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(openSandbox({ python })).rejects.toMatchObject({
    type: 'infrastructure',
    message: expect.stringContaining('TMPDIR'),
  });
  expect(await readdir(folder)).toEqual([]);
});

test('a folder for temporary files that cannot be written is refused with what to do', async () => {
  const folder = join(await temporaryFolder(), 'missing');
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(openSandbox({ python })).rejects.toMatchObject({
    type: 'infrastructure',
    message: expect.stringMatching(/set TMPDIR to another one: .*ENOENT/),
  });
});

test('a sandbox whose folder for temporary files is away for a while opens sessions again when it is back', async () => {
  const { sandbox, forkServer, folder } = await openIn({ prepared: 0 });
  const died = await forkServer();
  vi.stubEnv('TMPDIR', join(folder, 'missing'));
  process.kill(died, 'SIGKILL');
  await expect(sandbox.createSession({})).rejects.toMatchObject({ type: 'infrastructure' });
  vi.stubEnv('TMPDIR', folder);
  const session = await sandbox.createSession({});
  expect(await session.execute({ code: '1' })).toMatchObject({ outcome: 'ok' });
});
