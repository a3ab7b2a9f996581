import type { CallOutcome } from '../../../domain/sandbox.ts';
import { type Probe, refused, shortCall } from './probe.ts';
import { runProbes } from './run-probes.ts';

const survivor = `
def survive():
    """A daemon that has left its parent, session and group, and ignores what it can."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            for number in range(3, 128):
                with contextlib.suppress(OSError):
                    os.close(number)
            while True:
                with contextlib.suppress(OSError):
                    os.setsid()
                time.sleep(0.01)
        os._exit(0)
    os.wait()
`;

const ends: readonly (readonly [name: string, code: string, ...outcomes: CallOutcome[]])[] = [
  ['os._exit', 'os._exit(0)', 'exception'],
  ['os._exit in a child, with the parent waiting', 'if os.fork() == 0:\n    os._exit(3)\n_ = os.wait()', 'no_output'],
  ['a child that returns from the code', 'os.fork()', 'ok', 'policy'],
  [
    'exec of another program',
    'os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)"])',
    'timeout',
    'exception',
    'policy',
  ],
  ['a segmentation fault', 'ctypes.string_at(0)', 'exception'],
  ['abort', 'libc.abort()', 'exception'],
  [
    'a fault on purpose',
    'import faulthandler\nfaulthandler.enable(open("trace", "w"))\nfaulthandler._sigsegv()',
    'exception',
  ],
  ['recursion of Python', 'def down():\n    down()\ndown()', 'exception'],
  [
    'recursion past the stack',
    'sys.setrecursionlimit(10**9)\ndef down(*_):\n    return max([0], key=down)\ndown()',
    'exception',
    'memory',
  ],
  ['recursion of the parser', 'compile("-" * 10**7 + "1", "x", "eval")', 'exception', 'memory', 'timeout'],
  [
    'recursion in a destructor',
    'thing = None\nfor _ in range(10**6):\n    thing = (thing,)\ndel thing',
    'no_output',
    'exception',
    'memory',
    'timeout',
  ],
  ['SIGKILL to itself', 'os.kill(os.getpid(), 9)', 'memory'],
  ['SIGSTOP to itself', 'os.kill(os.getpid(), signal.SIGSTOP)', 'timeout'],
  [
    'SIGSTOP to all',
    'with contextlib.suppress(OSError):\n    os.kill(-1, signal.SIGSTOP)\nwhile True:\n    pass',
    'timeout',
  ],
  ['SIGKILL to all', 'with contextlib.suppress(OSError):\n    os.kill(-1, 9)', 'no_output', 'memory', 'policy'],
  [
    'SIGKILL to the first process',
    'for number in range(1, 65):\n    with contextlib.suppress(OSError, ValueError):\n        os.kill(1, number)',
    'no_output',
  ],
  ['SIGKILL to the parent and itself', 'os.kill(os.getppid(), 9)\nos.kill(os.getpid(), 9)', 'memory', 'policy'],
  [
    'SIGKILL to every sibling',
    'for name in os.listdir("/proc"):\n    if name.isdigit() and int(name) not in (1, os.getpid()):\n        os.kill(int(name), 9)',
    'no_output',
    'policy',
  ],
  [
    'SIGUSR1 and SIGCONT to every sibling',
    'for name in os.listdir("/proc"):\n    if name.isdigit() and int(name) not in (1, os.getpid()):\n        os.kill(int(name), signal.SIGUSR1)\n        os.kill(int(name), signal.SIGCONT)',
    'no_output',
    'policy',
  ],
  ['an endless loop of native code', 'sum(iter(int, 1))', 'timeout'],
  ['a loop in a regular expression', 'import re\nre.match("(a+)+$", "a" * 64 + "b")', 'timeout'],
  ['a number that has no end', '10 ** 10 ** 9', 'timeout', 'memory', 'exception'],
  [
    'a loop that swallows everything',
    'while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass',
    'timeout',
  ],
  [
    'signals blocked and ignored',
    'signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nfor number in signal.valid_signals():\n    with contextlib.suppress(OSError, ValueError):\n        signal.signal(number, signal.SIG_IGN)\nwhile True:\n    pass',
    'timeout',
  ],
  [
    'a storm of timers',
    'signal.signal(signal.SIGALRM, lambda *_: 1 / 0)\nsignal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)\nprint("set")',
    'ok',
    'exception',
    'policy',
  ],
  [
    'sleep that nothing wakes',
    'signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nthreading.Event().wait()',
    'timeout',
  ],
];

const probes: Probe[] = [
  ...ends.map(([name, code, ...outcomes]): Probe => ({ name, code, outcomes, session: shortCall })),
  {
    name: 'a fork bomb',
    session: { limits: { callSeconds: 2 } },
    code: 'while True:\n    with contextlib.suppress(OSError):\n        os.fork()',
    outcomes: ['timeout', 'policy', 'memory'],
  },
  {
    name: 'a fork bomb that leaves its parents and blocks signals',
    session: { limits: { callSeconds: 2 } },
    code: 'signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nwhile True:\n    with contextlib.suppress(OSError):\n        if os.fork() == 0:\n            os.setsid()\n        else:\n            os._exit(0)',
    outcomes: ['timeout', 'policy', 'exception', 'memory'],
  },
  {
    name: 'a fork bomb that the call leaves behind',
    session: { limits: { callSeconds: 2 } },
    code: 'if os.fork() == 0:\n    while True:\n        with contextlib.suppress(OSError):\n            os.fork()\ntime.sleep(0.2)',
    outcomes: ['no_output', 'policy', 'exception', 'memory'],
  },
  {
    name: 'a bomb of threads',
    session: { limits: { callSeconds: 5 } },
    code: 'for _ in range(5000):\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()',
    outcomes: ['exception', 'timeout', 'memory', 'no_output', 'policy'],
  },
  {
    name: 'a daemon that outlives its call',
    code: `${survivor}survive()\nprint("left")`,
    outcomes: ['ok'],
    afterwards: async (_, result) => {
      if (result.stdout !== 'left\n') throw new Error(`expected the daemon to start: ${JSON.stringify(result)}`);
    },
  },
  {
    name: 'daemons that outlive a failure',
    code: `${survivor}for _ in range(20):\n    survive()\n1 / 0`,
    outcomes: ['exception'],
  },
  {
    name: 'a daemon that outlives a time limit',
    session: shortCall,
    code: `${survivor}survive()\ntime.sleep(60)`,
    outcomes: ['timeout'],
  },
  {
    name: 'a thread that goes on after its call',
    code: 'def on():\n    while True:\n        globals()["seen"] = time.time()\nthreading.Thread(target=on, daemon=True).start()\nprint("left")',
    outcomes: ['ok'],
  },
  {
    name: 'what Python runs at its end',
    spoils: true,
    code: `
import atexit, weakref
class Late:
    def __del__(self):
        os.fork()
        time.sleep(60)
atexit.register(time.sleep, 60)
late = Late()
os.register_at_fork(before=lambda: time.sleep(0.01), after_in_child=lambda: os._exit(0))`,
    outcomes: ['no_output', 'policy'],
  },
  {
    name: 'tracing the parent and children',
    code: `
child = os.fork()
if child == 0:
    time.sleep(5)
    os._exit(0)
for pid in (os.getppid(), 1, child):
    tried(lambda: system_call(101, 117, 16, pid, 0, 0))
tried(lambda: system_call(101, 117, 0, 0, 0, 0))`,
    outcomes: ['ok'],
    prints: refused,
  },
  {
    name: 'a shell',
    code: `
import subprocess
tried(lambda: subprocess.run(["sh", "-c", "id"], check=True))
reader, writer = os.pipe()
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "echo x > /guest/x || echo refused EROFS; (sleep 100 &) ; exit 0"], {"PATH": "/bin:/usr/bin"}, file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)])
os.waitpid(pid, 0)
os.write(writer, b"\\n")
print(os.read(reader, 100).decode().strip())`,
    outcomes: ['ok', 'exception'],
    prints: /^(refused \w+\n)*$/,
  },
  {
    name: 'children that are stopped, and children that no one waits for',
    session: { limits: { callSeconds: 5 } },
    code: 'for index in range(30):\n    if os.fork() == 0:\n        if index % 2:\n            os.kill(os.getpid(), signal.SIGSTOP)\n        os._exit(0)\nprint("done")',
    outcomes: ['ok'],
  },
  {
    name: 'a process that dies with the wrong parent',
    code: 'libc.prctl(1, 9)\nlibc.prctl(36, 1)\nlibc.prctl(4, 0)\nlibc.prctl(22, 1)\nlibc.prctl(15, b"other")\nprint("done")',
    outcomes: ['ok', 'exception', 'memory'],
  },
];

runProbes(probes);
