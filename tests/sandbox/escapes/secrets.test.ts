import { expect } from 'vitest';
import { type Probe, refused } from './probe.ts';
import { runProbes } from './run-probes.ts';
import { neighbourPort } from './world.ts';

const probes: Probe[] = [
  {
    name: "the supervisor's environment",
    code: 'print(dict(os.environ), open("/proc/self/environ").read())\ntried(lambda: open("/proc/1/environ").read())',
    outcomes: ['ok'],
    prints: /refused \w+\n$/,
  },
  {
    name: 'the environment as the C library has it',
    code: 'libc.getenv.restype = ctypes.c_char_p\nprint([libc.getenv(name) for name in (b"LENSMITH_TEST_SECRET", b"AWS_SECRET_ACCESS_KEY", b"SSH_AUTH_SOCK")])',
    outcomes: ['ok'],
    prints: /^\[None, None, None\]\n$/,
  },
  {
    name: "secrets of the supervisor and of neighbours in the guest's own memory",
    code: `
import re
pattern = re.compile(rb"(?:environment|neighbour)-[0-9a-f]{12}")
print(sum(len(pattern.findall(part)) for part in own_memory()))
# What is planted is found, so the search is one.
planted = b"-".join([b"neighbour", b"0123456789ab"])
print(any(pattern.search(part) for part in own_memory()))`,
    session: { limits: { callSeconds: 30 } },
    outcomes: ['ok'],
    prints: /^0\nTrue\n$/,
  },
  {
    name: "a neighbour's memory",
    code: `
class Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))
room = ctypes.create_string_buffer(64)
local, remote = Vector(ctypes.addressof(room), 64), Vector(id(room), 64)
others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
for pid in [*others, 2, 3, 100, 1000]:
    tried(lambda: system_call(310, 270, pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))
    tried(lambda: system_call(311, 271, pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))`,
    prints: refused,
  },
  {
    name: "the session's first process in /proc",
    code: `
for name in ("mem", "environ", "maps", "auxv", "io", "stack", "syscall", "fd/0", "fd/3", "exe", "root/", "cwd/", "ns/mnt", "map_files"):
    path = f"/proc/1/{name}"
    tried(lambda: os.listdir(path) if name == "map_files" else os.readlink(path) if "/" in name or name == "exe" else open(path, "rb").read(1))`,
    prints: refused,
  },
  {
    name: "a neighbour's files",
    code: 'print(sorted(os.listdir("/sandbox")), os.listdir("."), os.listdir("/sandbox/tmp"))\ntried(lambda: open("secret.txt"))',
    outcomes: ['ok'],
    prints: /^\['session', 'tmp'\] \[\] \[\]\nrefused ENOENT\n$/,
  },
  {
    name: "a neighbour's and the host's processes in the list",
    code: ({ canaryPid, forkServerPid }) => `
pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
print(len(pids) <= 4, max(pids) < 1000)
for pid in (${canaryPid}, ${forkServerPid}, ${process.pid}):
    if pid > 400:
        tried(lambda: open(f"/proc/{pid}/cmdline").read())
        tried(lambda: os.kill(pid, 0))
tried(lambda: os.kill(399, 0))`,
    outcomes: ['ok'],
    prints: /^True True\n(refused (ENOENT|ESRCH)\n)+$/,
  },
  {
    name: 'signals to every number that a process may have',
    code: ({ canaryPid, forkServerPid }) => `
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for pid in [*range(601, 5000), ${canaryPid}, ${forkServerPid}, ${process.pid}]:
    for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
        try:
            os.kill(pid, number)
            print("reached", pid)
        except OSError:
            pass
print("done")`,
    outcomes: ['ok'],
    prints: /^done\n$/,
  },
  {
    name: 'signals to process groups and sessions of others',
    code: ({ canaryPid }) => `
for group in (${canaryPid}, ${process.pid}, 2000):
    tried(lambda: os.killpg(group, signal.SIGKILL))
tried(lambda: os.setpgid(0, 1))
tried(lambda: os.getsid(${canaryPid}))`,
    prints: refused,
  },
  {
    name: 'shared memory, message queues and semaphores of System V',
    code: `
tried(lambda: system_call(29, 194, 0x4C656E73, 4096, 0o1666))
tried(lambda: system_call(68, 186, 0x4C656E73, 0o1666))
tried(lambda: system_call(64, 190, 0x4C656E73, 1, 0o1666))
print(open("/proc/sysvipc/shm").read().count("\\n"))`,
    outcomes: ['ok'],
    prints: /^refused EPERM\nrefused EPERM\nrefused EPERM\n1\n$/,
  },
  {
    name: "a neighbour's listeners",
    code: ({ secrets }) => `
secret = b"${secrets.neighbour}"
def connect(family, address):
    client = socket.socket(family, socket.SOCK_STREAM)
    client.settimeout(1)
    return client.connect(address)
def send(family, address):
    return socket.socket(family, socket.SOCK_DGRAM).sendto(b"hello", address)
tried(lambda: connect(socket.AF_INET, ("127.0.0.1", ${neighbourPort})))
tried(lambda: connect(socket.AF_UNIX, b"\\0" + secret))
tried(lambda: send(socket.AF_INET, ("127.0.0.1", ${neighbourPort})))
tried(lambda: send(socket.AF_UNIX, b"\\0" + secret + b".datagrams"))`,
    outcomes: ['ok'],
    prints: refused,
  },
  {
    name: "a neighbour's listeners in the lists of the kernel",
    code: `
for name in ("tcp", "tcp6", "udp", "unix", "raw", "packet", "netlink"):
    with contextlib.suppress(OSError):
        print(name, open(f"/proc/net/{name}").read()[:4000])`,
    outcomes: ['ok', 'no_output'],
    afterwards: (_, { stdout }) => {
      expect(stdout).not.toContain(`:${neighbourPort.toString(16).toUpperCase()} `);
    },
  },
  {
    name: 'ports that a neighbour holds',
    code: `
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    try:
        socket.socket(socket.AF_INET, kind).bind(("127.0.0.1", ${neighbourPort}))
        print("own")
    except OSError as error:
        print("own" if error.errno in (errno.EACCES, errno.EPERM) else errno.errorcode[error.errno])`,
    outcomes: ['ok'],
    prints: /^own\nown\n$/,
  },
  {
    name: 'an abstract socket that two sessions share',
    code: `
def wait():
    server = socket.socket(socket.AF_UNIX)
    server.bind(b"\\0shared-by-two")
    server.listen()
    server.settimeout(2)
    return server.accept()
tried(wait)`,
    session: { limits: { callSeconds: 10 } },
    meanwhile: async ({ neighbour }, ended) => {
      const code =
        'import socket\nclient = socket.socket(socket.AF_UNIX)\nprint(client.connect_ex(b"\\0shared-by-two"))\ndel client, socket';
      while (!ended.aborted) {
        const { stdout } = await neighbour.execute({ code });
        if (stdout === '0\n') throw new Error('the neighbour was reached');
      }
    },
    prints: /^refused (TimeoutError|EPERM)\n$/,
  },
  {
    name: 'sockets and pipes that the fork server left open',
    code: `
found = []
for number in range(1024):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        continue
    if stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode):
        found.append(number)
print(len(found))
for number in found:
    held = socket.socket(fileno=os.dup(number))
    tried(lambda: held.getsockname() or exec("raise OSError(2, 'no name')"))
    tried(lambda: held.getpeername())`,
    outcomes: ['ok'],
    prints: /^2\n(refused ENOENT\nrefused EPERM\n){2}$/,
  },
  {
    name: "the variables of the guest's own objects",
    code: `
import gc
kinds = {type(thing).__name__ for thing in gc.get_objects()}
held = [thing for thing in gc.get_objects() if type(thing).__name__ in ("Session", "ForkServer", "WorkFolder")]
for thing in held:
    for name, value in vars(thing).items():
        print(type(thing).__name__, name, repr(value)[:100])
print("looked", "Capture" in kinds)`,
    outcomes: ['ok'],
    prints: /looked \w+\n$/,
  },
  {
    name: 'a rise of its own priority and share',
    code: `
tried(lambda: os.nice(-5))
tried(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
import resource
tried(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100000, 100000)))
tried(lambda: resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))`,
    prints: refused,
  },
];

runProbes(probes);
