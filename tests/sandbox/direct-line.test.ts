import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Session } from '../../sandbox/open-sandbox.ts';
import { sharedSandbox } from './shared-sandbox.ts';

const { get } = sharedSandbox();
// As between two turns of a model: then the next call goes straight to the interpreter.
const restMs = 100;

const restedSession = async (): Promise<Session> => {
  const session = await get().createSession({});
  onTestFinished(() => session.close());
  await session.execute({ code: 'x = 1' });
  await delay(restMs);
  return session;
};

// What the interpreter has open: its channel to the session's first process, and the line to the supervisor.
const forge = `import json, os, struct
def framed(message):
    body = json.dumps(message).encode()
    return struct.pack(">I", len(body)) + body
def told(text, **more):
    return framed({"outcome": "ok", "stdout": text, "stderr": "", "images": [], "error": None, **more})
line = 4
`;

test('a call after a rest goes over the line, on which its code may speak for it, and for no other one', async () => {
  const session = await restedSession();
  const code = `${forge}import time\nos.write(line, told("forged"))\ntime.sleep(0.2)\nprint("own")`;
  // Code may print what it likes, and so it may say on the line that it has.
  expect(await session.execute({ code })).toMatchObject({ outcome: 'ok', stdout: 'forged' });
  await delay(restMs);
  expect(await session.execute({ code: 'print(x, 2)' })).toMatchObject({ outcome: 'ok', stdout: '1 2\n' });
});

test.each([
  ['closes it', 'os.close(line)', { outcome: 'ok', stdout: '1\n' }],
  ['puts a file in its place', 'os.dup2(os.open("/dev/null", os.O_RDWR), line)', { outcome: 'ok', stdout: '1\n' }],
  ['sends a message of another kind', 'os.write(line, framed([1]))', {}],
  ['sends a result of another kind', 'os.write(line, told(1))', {}],
  ['sends an outcome that is not its own to tell', 'os.write(line, told("", outcome="infrastructure"))', {}],
  ['sends more text than a result may have', 'os.write(line, told("a" * 20000))', {}],
  ['sends more than a message may have', 'os.write(line, struct.pack(">I", 1 << 30))', {}],
  ['sends what is no JSON', 'os.write(line, b"\\0\\0\\0\\1}")', {}],
  ['sends a part of a message', 'os.write(line, told("forged")[:20])', {}],
  ['sends several results', 'os.write(line, told("forged") * 3)', {}],
  [
    'leaves a thread that reads it',
    'import socket, threading\nother = socket.socket(fileno=os.dup(line))\nthreading.Thread(target=lambda: [other.recv(1000) for _ in range(9)]).start()',
    { outcome: 'ok', stdout: '1\n' },
  ],
])('code that %s harms its own call at most', async (_, deed, expected) => {
  const session = await restedSession();
  const result = await session.execute({ code: `${forge}${deed}\nprint(x)` });
  expect(result).toMatchObject(expected);
  expect(['ok', 'exception', 'policy']).toContain(result.outcome);
  if (result.outcome === 'ok') expect(result.stdout).toBe('1\n');
  for (const _again of [1, 2]) {
    await delay(restMs);
    expect(await session.execute({ code: 'print(x, 2)' })).toMatchObject({ outcome: 'ok', stdout: '1 2\n' });
  }
});

test('nothing that code leaves on the line reaches the sessions after it', async () => {
  const leave =
    'import threading, time\ndef late():\n  while True: os.write(line, told("forged"))\nthreading.Thread(target=late, daemon=True).start()';
  for (const deed of ['os.write(line, told("forged"))', 'os.write(line, told("forged")[:20])', leave]) {
    const session = await restedSession();
    await session.execute({ code: `${forge}${deed}` });
    await session.close();
    // As many as are made ready of what has been given back.
    for (let next = 0; next < 6; next += 1) {
      const another = await restedSession();
      for (const index of [1, 2]) {
        expect(await another.execute({ code: `print(x, ${index})` })).toMatchObject({ stdout: `1 ${index}\n` });
        await delay(restMs);
      }
      await another.close();
    }
  }
});

test('a call over the line that fails is undone, one that does not end is ended, and the next ones go on', async () => {
  const session = await restedSession();
  const steps: [code: string, expected: Record<string, unknown>, seconds?: number][] = [
    [
      'y = 2\nopen("a.txt", "w").close()\n1 / 0',
      { outcome: 'exception', error: { type: 'ZeroDivisionError', line: 3 } },
    ],
    ['import os\nprint(x, "y" in globals(), os.listdir())', { outcome: 'ok', stdout: '1 False []\n' }],
    ['import os\nos.mkfifo("pipe")\nprint(1)', { outcome: 'ok' }],
    // What the folder may not hold is found when the supervisor has the result already.
    ['print(x)', { outcome: 'policy', error: { type: 'WorkFolder' } }],
    ['import os\nprint(x, os.listdir())', { outcome: 'ok', stdout: '1 []\n' }],
    ['x = 5\nwhile True: pass', { outcome: 'timeout' }, 0.5],
    ['print(x)', { outcome: 'ok', stdout: '1\n' }],
    ['import os, signal\nos.kill(os.getpid(), signal.SIGKILL)', { outcome: 'memory' }],
    ['print(x)', { outcome: 'ok', stdout: '1\n' }],
    ['print("a" * 8000)\nImage.new("RGB", (30, 30))', { outcome: 'ok', stdout: `${'a'.repeat(8000)}\n` }],
    ['x = bytearray(1 << 31)', { outcome: 'memory' }],
    ['x', { outcome: 'ok', stdout: '1\n' }],
    ['pass', { outcome: 'no_output' }],
  ];
  for (const [code, expected, seconds] of steps) {
    expect(await session.execute({ code, ...(seconds === undefined ? {} : { seconds }) })).toMatchObject(expected);
    await delay(restMs);
  }
});

test('an interpreter that ends at once ended by its code', async () => {
  for (let round = 0; round < 10; round += 1) {
    const session = await restedSession();
    const result = await session.execute({ code: 'import os\nos._exit(3)' });
    expect(result).toMatchObject({ outcome: 'exception', error: { type: 'SystemExit' } });
    await session.close();
  }
});

/** The host's number of a process of a session, given its namespace and its number there. */
const hostPid = async (namespace: string, inner: string): Promise<number> => {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const own = await readlink(`/proc/${name}/ns/pid`).catch(() => '');
    if (own !== namespace) continue;
    const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
    if (/^NSpid:.*\s(\d+)$/m.exec(status)?.[1] === inner) return Number(name);
  }
  throw new Error(`no process ${inner} in ${namespace}`);
};

test('an interpreter that is killed at rest was no doing of the next call, and its state is there again', async () => {
  const session = await restedSession();
  const { stdout } = await session.execute({ code: 'import os\nprint(os.readlink("/proc/self/ns/pid"), os.getpid())' });
  await delay(restMs);
  const [namespace = '', inner = ''] = stdout.trim().split(' ');
  process.kill(await hostPid(namespace, inner), 'SIGKILL');
  await delay(restMs);
  expect(await session.execute({ code: 'x = 2' })).toMatchObject({ outcome: 'infrastructure' });
  for (const _again of [1, 2]) {
    expect(await session.execute({ code: 'print(x)' })).toMatchObject({ outcome: 'ok', stdout: '1\n' });
    await delay(restMs);
  }
});

test('a session that is closed takes no call, and those of others go on', async () => {
  const session = await restedSession();
  await session.close();
  const other = await restedSession();
  expect((await session.execute({ code: 'x = 7' })).outcome).toBe('infrastructure');
  expect(await other.execute({ code: 'print(x)' })).toMatchObject({ outcome: 'ok', stdout: '1\n' });
});

test('calls that do not wait for one another keep their order, whichever way they go', async () => {
  const session = await restedSession();
  for (let round = 0; round < 5; round += 1) {
    const codes = ['seen = []', ...Array.from({ length: 6 }, (_, index) => `seen.append(${index})`), '1 / 0', 'seen'];
    const results = await Promise.all(codes.map((code) => session.execute({ code })));
    expect(results.at(-1)?.stdout).toBe('[0, 1, 2, 3, 4, 5]\n');
    expect(results.at(-2)?.outcome).toBe('exception');
    await delay(restMs);
  }
});
