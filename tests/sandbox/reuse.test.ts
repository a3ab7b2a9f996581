import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { SessionOptions } from '../../domain/sandbox.ts';
import type { Session } from '../../sandbox/open-sandbox.ts';
import { waitFor } from '../processes/wait-for.ts';
import { sharedSandbox } from './shared-sandbox.ts';

// With few ready, the one that was given back last comes soon.
const { get } = sharedSandbox({ prepared: 1 });

// The number of namespaces that are gone is given to others: when their first process began tells them apart.
const slotCode = `import os
print(os.readlink("/proc/self/ns/pid"), open("/proc/1/stat").read().rpartition(") ")[2].split()[19])`;
const slotOf = async (session: Session): Promise<string> => (await session.execute({ code: slotCode })).stdout.trim();

/** A session that has taken over the namespaces of an earlier one. */
const sessionIn = async (slot: string): Promise<Session> => {
  // Whatever comes before it is held meanwhile: given back, it would be one more than is kept.
  const others: Session[] = [];
  try {
    return await waitFor('a session in the same namespaces', async () => {
      const session = await get().createSession({});
      if ((await slotOf(session)) === slot) return session;
      others.push(session);
      if (others.length > 20) await others.shift()?.close();
      return undefined;
    });
  } finally {
    await Promise.all(others.map((session) => session.close()));
  }
};

/** That none of the next sessions is in those namespaces. */
const expectGone = async (slot: string): Promise<void> => {
  const slots: string[] = [];
  for (let count = 0; count < 6; count += 1) {
    const session = await get().createSession({});
    slots.push(await slotOf(session));
    await session.close();
  }
  expect(slots).not.toContain(slot);
};

/** Runs one session, and then another one in the same namespaces, which it returns. */
const sessionAfter = async (options: SessionOptions, ...codes: string[]) => {
  const sandbox = get();
  const first = await sandbox.createSession(options);
  const slot = await slotOf(first);
  const results = [];
  for (const code of codes) results.push(await first.execute({ code }));
  await first.close();
  const next = await sessionIn(slot);
  onTestFinished(() => next.close());
  return { results, next };
};

const files = `
def files():
    return sorted(os.path.join(place, name) for place, _, names in os.walk("/sandbox") for name in [".", *names])
print(files(), os.getcwd(), oct(os.stat("/sandbox").st_mode), os.listxattr("/sandbox"))`;
const own = "['/sandbox/.', '/sandbox/session/.', '/sandbox/tmp/.'] /sandbox/session 0o40700 []\n";

test.each([
  [
    'files, folders, links, modes and attributes',
    `import os
for place in ("/sandbox", "/sandbox/tmp", "/sandbox/session"):
    open(f"{place}/left.txt", "w").write("left")
    os.mkdir(f"{place}/folder")
    os.symlink("/usr", f"{place}/link")
try:
    os.setxattr("/sandbox", "user.left", b"left")
except OSError:
    pass
os.chdir("/sandbox/tmp/folder")
os.chmod("/sandbox", 0o777)`,
    `import os${files}`,
    own,
  ],
  [
    'memory of the libraries that it has overwritten',
    `import ctypes, sys, numpy
header = sys.getsizeof("") - 1
ctypes.memmove(id(numpy.__doc__) + header, b"left", 4)
print("left" in numpy.__doc__)`,
    'import numpy\nprint("left" in numpy.__doc__[:8])',
    'False\n',
  ],
  [
    'folders deeper than a path can be, and closed ones',
    'import os\nos.chdir("/sandbox/tmp")\nfor _ in range(1500):\n    os.mkdir("dd")\n    os.chdir("dd")\nos.mkdir("shut", 0)\n1 / 0',
    `import os${files}`,
    own,
  ],
  [
    'a full folder',
    'import os\nfor n in range(3):\n    with open(f"/sandbox/tmp/{n}", "wb") as file:\n        file.write(b"x" * 60_000_000)',
    'import os\nstate = os.statvfs("/sandbox")\nprint(state.f_blocks - state.f_bfree < 10)',
    'True\n',
  ],
  [
    'variables, modules, builtins and the environment',
    `import os, sys, builtins, types
left = builtins.left = sys.left = np.left = Image.left = "left"
sys.modules["left"] = types.ModuleType("left")
os.environ["LEFT"] = "left"
sys.path.insert(0, "/sandbox")`,
    `import os, sys, builtins
print([hasattr(place, "left") for place in (builtins, sys, np, Image)], "left" in globals(), "left" in sys.modules)
print("LEFT" in os.environ, "/sandbox" in sys.path, b"LEFT" in open("/proc/self/environ", "rb").read())`,
    '[False, False, False, False] False False\nFalse False False\n',
  ],
  [
    'processes, daemons and threads',
    `import os, threading, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        time.sleep(600)
threading.Thread(target=time.sleep, args=(600,)).start()`,
    'import os\nprint(len([name for name in os.listdir("/proc") if name.isdigit()]), len(os.listdir("/proc/self/task")))',
    '3 1\n',
  ],
  [
    'processes that stop, hide and refuse signals, when the session ends in its call',
    `import os, signal, time
for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
for number in range(20):
    if os.fork() == 0:
        os.setsid()
        if number % 2:
            os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(600)`,
    'import os\nprint(len([name for name in os.listdir("/proc") if name.isdigit()]))',
    '3\n',
  ],
  [
    'signal masks, handlers, timers, limits and the mode of new files',
    `import os, resource, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
signal.setitimer(signal.ITIMER_REAL, 0.2)
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
os.umask(0o777)
sys.setrecursionlimit(90)`,
    `import os, resource, signal, sys, time
time.sleep(0.3)
print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, signal.pthread_sigmask(signal.SIG_BLOCK, []))
print(signal.getitimer(signal.ITIMER_REAL), resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_NPROC)[0] > 1)
print(oct(os.umask(0)), sys.getrecursionlimit())`,
    'True set()\n(0.0, 0.0) (128, 128) True\n0o22 1000\n',
  ],
  [
    'open files, pipes, sockets and mappings of files',
    `import mmap, os, socket
held = [open(f"/sandbox/tmp/{n}", "w+") for n in range(30)]
held[0].write("x" * 4096)
held[0].flush()
mapped = mmap.mmap(held[0].fileno(), 4096)
pipes = [os.pipe() for _ in range(5)]
pair = socket.socketpair()
socket.send_fds(pair[0], [b"x"], [file.fileno() for file in held])
for file in held:
    os.unlink(file.name)
if os.fork() == 0:
    import time
    time.sleep(600)`,
    `import os, stat
kinds = []
for number in range(128):
    try:
        kinds.append(stat.S_IFMT(os.fstat(number).st_mode))
    except OSError:
        pass
print(sum(kind == stat.S_IFSOCK for kind in kinds), sum(kind == stat.S_IFIFO for kind in kinds), sum(kind == stat.S_IFREG for kind in kinds))${files}`,
    // The channel to the session's first process, and the line to the supervisor.
    `2 0 0\n${own}`,
  ],
  [
    'shared memory, semaphores, message queues and keys',
    `import ctypes
libc = ctypes.CDLL(None)
print(libc.shmget(4711, 4096, 0o1666), libc.semget(4711, 1, 0o1666), libc.msgget(4711, 0o1666))
print(libc.mq_open(b"/left", 0o102, 0o666, None), libc.syscall(248, b"user", b"left", b"left", 4, -4), libc.syscall(319, b"left", 0))`,
    `import ctypes
libc = ctypes.CDLL(None)
print(libc.shmget(4711, 4096, 0o666), libc.semget(4711, 1, 0o666), libc.msgget(4711, 0o666), libc.syscall(250, 0, -4, 0))
for name in ("shm", "sem", "msg"):
    print(len(open(f"/proc/sysvipc/{name}").readlines()) if __import__("os").path.exists(f"/proc/sysvipc/{name}") else 1)`,
    '-1 -1 -1 -1\n1\n1\n1\n',
  ],
  [
    'names of sockets',
    `import socket
pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
for name in (b"\\0left", "/sandbox/left"):
    try:
        pair[0].bind(name)
    except OSError as error:
        print(type(error).__name__)`,
    `import socket
pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
for name in (b"\\0left", "/sandbox/left"):
    try:
        print(pair[1].sendto(b"x", name))
    except OSError as error:
        print("refused")`,
    'refused\nrefused\n',
  ],
] as const)('a session sees nothing of the one before it in its namespaces: %s', async (_, leave, look, seen) => {
  const { results, next } = await sessionAfter({ limits: { callSeconds: 20 } }, leave);
  expect(['ok', 'no_output', 'exception'], results[0]?.error?.message).toContain(results[0]?.outcome);
  const result = await next.execute({ code: look });
  expect(result.stdout, result.error?.message).toBe(seen);
});

test.each([
  ['an exception', '1 / 0', 'exception'],
  ['a time limit', 'import os\nif os.fork() == 0:\n    os.setsid()\nwhile True:\n    pass', 'timeout'],
  ['a memory limit', 'x = b"x" * 10**11', 'memory'],
  ['a crash', 'import ctypes\nctypes.string_at(0)', 'exception'],
] as const)('after a call that ended with %s the next session has its own state', async (_, code, outcome) => {
  // One as long as this goes through the session's first process; a line that was lost in its call ends the namespaces.
  const long = `${code}\n${'#'.repeat(20_000)}`;
  const { results, next } = await sessionAfter({ limits: { callSeconds: 1 } }, 'x = 1', long);
  expect(results[1]?.outcome).toBe(outcome);
  expect(await next.execute({ code: 'print(x)' })).toMatchObject({
    outcome: 'exception',
    error: { type: 'NameError' },
  });
  const calls = ['y = 1', 'y += 1', '1 / 0', 'print(y)'];
  const results2 = [];
  for (const call of calls) results2.push(await next.execute({ code: call }));
  expect(results2.map((result) => result.outcome)).toEqual(['no_output', 'no_output', 'exception', 'ok']);
  expect(results2[3]?.stdout).toBe('2\n');
});

test('namespaces whose session was refused something are not used again', async () => {
  const sandbox = get();
  const first = await sandbox.createSession({});
  const slot = await slotOf(first);
  const made = await first.execute({ code: 'import os\nos.mkfifo("pipe")' });
  // Where the call went straight to its interpreter, the next one is told.
  const refused = made.outcome === 'no_output' ? await first.execute({ code: '1' }) : made;
  expect(refused.outcome).toBe('policy');
  await first.close();
  await expectGone(slot);
});

test.each([
  ['as the call is on its way', 0],
  ['while the call runs', 100],
])('a session that is closed %s takes its namespaces with it, and serves nobody later', async (_when, milliseconds) => {
  const session = await get().createSession({});
  const slot = await slotOf(session);
  const running = session.execute({ code: 'import time\ntime.sleep(60)' });
  await delay(milliseconds);
  await session.close();
  expect(await running).toMatchObject({ outcome: 'infrastructure' });
  expect(await session.execute({ code: '1' })).toMatchObject({ outcome: 'infrastructure' });
  await expectGone(slot);
});

test('a session that is closed before its call is sent runs none of it, and its namespaces serve another one', async () => {
  const session = await get().createSession({});
  const slot = await slotOf(session);
  const late = session.execute({ code: 'open("late", "w").write("")' });
  await session.close();
  expect(await late).toMatchObject({ outcome: 'infrastructure' });
  const next = await sessionIn(slot);
  expect(await next.execute({ code: 'import os\nprint(os.listdir())' })).toMatchObject({ stdout: '[]\n' });
  await next.close();
});

test('a closed session runs nothing, and another one in its namespaces is not touched by it', async () => {
  const sandbox = get();
  const first = await sandbox.createSession({ idleSeconds: 0.3, totalSeconds: 1 });
  const slot = await slotOf(first);
  await first.close();
  const next = await sessionIn(slot);
  expect(await first.execute({ code: 'print(1)' })).toMatchObject({ outcome: 'infrastructure' });
  await first.close();
  expect(await next.execute({ code: 'import time\ntime.sleep(1.5)\nprint("whole")' })).toMatchObject({
    outcome: 'ok',
    stdout: 'whole\n',
  });
});

test('more processes one after the other than a namespace has numbers for', { timeout: 120_000 }, async () => {
  const sandbox = get();
  const session = await sandbox.createSession({ limits: { callSeconds: 60 } });
  const code =
    'import os\nfor _ in range(320):\n    pid = os.fork()\n    if pid == 0:\n        os._exit(0)\n    os.waitpid(pid, 0)\nprint("done")';
  expect(await session.execute({ code })).toMatchObject({ outcome: 'ok', stdout: 'done\n' });
  for (let count = 0; count < 3; count += 1) {
    expect(await session.execute({ code: 'print(1)' })).toMatchObject({ outcome: 'ok', stdout: '1\n' });
  }
  await session.close();
});
