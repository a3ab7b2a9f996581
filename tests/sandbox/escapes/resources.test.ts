import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { descendantsOf, proportionalBytes } from './host-state.ts';
import type { Probe } from './probe.ts';
import { runProbes } from './run-probes.ts';
import type { World } from './world.ts';

const mebibyte = 1024 * 1024;
const session = { limits: { callSeconds: 10, memoryMib: 256 } };

/** What the sandbox holds may grow by the session's memory, its folder and what is taken before it is seen. */
const holdsMemory =
  (mebibytes: number) =>
  async (world: World, ended: AbortSignal): Promise<void> => {
    const held = async (): Promise<number> =>
      proportionalBytes((await descendantsOf(world.forkServerPid)).map(({ pid }) => pid));
    const before = await held();
    let most = before;
    while (!ended.aborted) {
      most = Math.max(most, await held());
      await delay(30);
    }
    expect((most - before) / mebibyte).toBeLessThan(mebibytes);
  };

const flood = (stream: string): Probe => ({
  name: `a flood of ${stream}`,
  session: { limits: { callSeconds: 2, outputCharacters: 1000 } },
  code: `while True:\n    sys.${stream}.write("flood" * 100000)`,
  outcomes: ['timeout'],
  meanwhile: holdsMemory(512),
});

const probes: Probe[] = [
  {
    name: 'memory: one process',
    session,
    code: 'kept = []\nwhile True:\n    kept.append(np.ones(1 << 20))',
    outcomes: ['memory'],
    meanwhile: holdsMemory(600),
  },
  {
    name: 'memory: one piece that cannot be',
    session,
    code: 'np.ones(1 << 36)',
    outcomes: ['memory'],
  },
  {
    name: 'memory: many processes',
    session,
    code: 'for _ in range(24):\n    if os.fork() == 0:\n        kept = np.ones(20 << 20)\n        time.sleep(30)\ntime.sleep(3)\nprint("done")',
    outcomes: ['memory', 'policy', 'exception', 'timeout'],
    meanwhile: holdsMemory(1800),
  },
  {
    name: 'memory: many processes that share it',
    session,
    code: `
import mmap
room = []
for _ in range(16):
    if os.fork() == 0:
        room.append(mmap.mmap(-1, 200 << 20))
        for at in range(0, 200 << 20, 4096):
            room[-1][at] = 1
        time.sleep(30)
time.sleep(3)
print("done")`,
    outcomes: ['memory', 'policy', 'exception', 'timeout'],
    meanwhile: holdsMemory(1800),
  },
  {
    name: 'memory: many processes, while a report comes byte by byte',
    session,
    code: `
for _ in range(6):
    if os.fork() == 0:
        kept = np.ones(20 << 20)
        time.sleep(30)
os.write(3, struct.pack(">I", 1 << 20))
until = time.monotonic() + 3
while time.monotonic() < until:
    os.write(3, b" ")
    time.sleep(0.005)
os._exit(0)`,
    outcomes: ['memory'],
    meanwhile: holdsMemory(900),
  },
  {
    name: 'memory: a process that has left its parent',
    session,
    code: 'if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        for _ in range(16):\n            if os.fork() == 0:\n                kept = np.ones(24 << 20)\n                time.sleep(30)\n    os._exit(0)\nos.wait()\ntime.sleep(3)\nprint("done")',
    outcomes: ['memory', 'policy', 'exception', 'timeout'],
    meanwhile: holdsMemory(1800),
  },
  {
    name: 'memory: MemoryError swallowed, time after time',
    session: { limits: { callSeconds: 2, memoryMib: 128 } },
    code: 'kept = []\nwhile True:\n    try:\n        kept.append(bytearray(1 << 22))\n    except MemoryError:\n        pass',
    outcomes: ['timeout', 'memory'],
    meanwhile: holdsMemory(512),
  },
  {
    name: 'memory: the folder',
    session,
    code: `
written = 0
try:
    for number in range(1000):
        with open(f"/sandbox/tmp/{number}", "wb") as file:
            written += file.write(bytes(32 << 20))
except OSError as error:
    print(error.errno == errno.ENOSPC, written <= 256 << 20)`,
    outcomes: ['ok', 'policy', 'memory'],
    meanwhile: holdsMemory(900),
  },
  {
    name: 'memory: files that have no name',
    session,
    code: `
held = []
try:
    for _ in range(100):
        held.append(os.open("/sandbox/tmp", os.O_TMPFILE | os.O_RDWR, 0o600))
        os.write(held[-1], bytes(32 << 20))
except OSError as error:
    print(error.errno == errno.ENOSPC, len(held) < 12)`,
    outcomes: ['ok', 'policy', 'memory'],
    meanwhile: holdsMemory(900),
  },
  {
    name: 'memory: what waits in sockets and pipes',
    session,
    code: `
held = []
try:
    while True:
        one, other = socket.socketpair()
        held += [one, other]
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
        one.setblocking(False)
        while True:
            try:
                one.send(bytes(65536))
            except BlockingIOError:
                break
except OSError as error:
    print(error.errno == errno.EMFILE, len(held))`,
    outcomes: ['ok', 'exception', 'memory'],
  },
  {
    name: 'a file larger than files may be',
    session,
    code: `
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = open("large", "wb")
try:
    file.truncate(1 << 40)
except OSError as error:
    print(errno.errorcode[error.errno])`,
    outcomes: ['ok'],
    prints: /^EFBIG\n$/,
  },
  {
    name: 'a disk that fills: shared places',
    code: 'for path in ("/guest/x", "/dev/x", "/var/tmp/x", "/run/x", "/x"):\n    try:\n        open(path, "wb").write(bytes(1 << 20))\n        print("written", path)\n    except OSError:\n        pass\nprint("done")',
    outcomes: ['ok'],
    prints: /^done\n$/,
  },
  {
    name: 'a disk that fills: folders for temporary files',
    code: `
written = 0
try:
    for number in range(30):
        with open(f"{('/dev/shm', '/tmp', '/sandbox/tmp')[number % 3]}/{number}", "wb") as file:
            written += file.write(bytes(20_000_000))
except OSError as error:
    print(errno.errorcode[error.errno], written <= 256 << 20)`,
    outcomes: ['ok', 'policy'],
    prints: /^((ENOSPC|EROFS) True\n)?$/,
  },
  {
    name: 'inodes without end',
    session: { limits: { callSeconds: 30 } },
    code: `
count = 0
try:
    while count < 200000:
        os.close(os.open(f"/sandbox/tmp/{count}", os.O_CREAT | os.O_WRONLY))
        count += 1
except OSError as error:
    print(error.errno == errno.ENOSPC, count <= 40000)`,
    outcomes: ['ok', 'policy', 'timeout'],
  },
  {
    name: 'descriptors without end',
    code: `
held = []
try:
    while True:
        held.append(os.dup(0))
except OSError as error:
    print(errno.errorcode[error.errno], len(held) < 128)`,
    outcomes: ['ok', 'exception', 'policy'],
    prints: /^(EMFILE True\n)?$/,
  },
  {
    name: 'signals that wait',
    code: `
number = int(signal.SIGRTMIN) + 1
signal.pthread_sigmask(signal.SIG_BLOCK, {number})
info = ctypes.create_string_buffer(struct.pack("iii", number, 0, -1), 128)
sent = 0
with contextlib.suppress(OSError):
    while sent < 5000:
        system_call(129, 138, os.getpid(), number, info)
        sent += 1
print(0 < sent <= 1024)`,
    outcomes: ['ok'],
    prints: /^True\n$/,
  },
  {
    name: 'descriptors on their way in sockets',
    code: `
import array
held, sent = [], 0
try:
    while sent < 100000:
        one, other = socket.socketpair()
        held += [one, other]
        for _ in range(200):
            one.setblocking(False)
            try:
                one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 100))])
                sent += 100
            except BlockingIOError:
                break
except OSError as error:
    print(errno.errorcode[error.errno], sent < 100000)`,
    outcomes: ['ok', 'exception'],
  },
  flood('stdout'),
  flood('stderr'),
  {
    name: 'a flood past Python',
    session: { limits: { callSeconds: 1 } },
    code: 'while True:\n    for number in (0, 1, 2):\n        with contextlib.suppress(OSError):\n            os.write(number, b"flood" * 10000)',
    outcomes: ['timeout'],
  },
  {
    name: 'more processor time than a call has, in many processes',
    session: { limits: { callSeconds: 1 } },
    code: 'for _ in range(4):\n    if os.fork() == 0:\n        break\nwhile True:\n    pass',
    outcomes: ['timeout'],
  },
  {
    name: 'a text that is longer than memory',
    session,
    code: 'class Long:\n    def __repr__(self):\n        return "x" * (1 << 40)\nLong()',
    outcomes: ['memory', 'exception'],
  },
];

runProbes(probes);
