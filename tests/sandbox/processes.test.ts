import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { sharedSandbox } from './shared-sandbox.ts';

const { run } = sharedSandbox();
const shortCall = { limits: { callSeconds: 1 } };

/** Processes of the host whose command line holds a text. */
const processesWith = async (text: string): Promise<string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(text));
};

test.each([
  ['an endless loop', 'while True:\n    pass'],
  ['an endless call of native code', 'sum(iter(int, 1))'],
  ['a loop that swallows exceptions', 'while True:\n    try:\n        1 / 0\n    except BaseException:\n        pass'],
  [
    'code that blocks every signal',
    'import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nwhile True:\n    pass',
  ],
  ['code that stops itself', 'import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)'],
  ['code that stops all it can', 'import os, signal\nos.fork()\nos.kill(-1, signal.SIGSTOP)\nwhile True:\n    pass'],
  ['sleep', 'import time\ntime.sleep(60)'],
])('%s is a timeout', async (_, code) => {
  const [timeout, after] = await run(shortCall, code, 'print("here")');
  expect(timeout).toMatchObject({ outcome: 'timeout', images: [], error: { type: 'TimeLimit' } });
  expect(after).toMatchObject({ outcome: 'ok', stdout: 'here\n' });
});

test('a timeout leaves the state as it was', async () => {
  const [, timeout, after] = await run(shortCall, 'x = 1', 'x = 2\nwhile True:\n    pass', 'print(x)');
  expect(timeout?.outcome).toBe('timeout');
  expect(after?.stdout).toBe('1\n');
});

test.each([
  ['a pool', 'import multiprocessing\nwith multiprocessing.Pool(2) as pool:\n    print(list(pool.map(f, [1, 2])))'],
  [
    'an executor',
    'import concurrent.futures\nwith concurrent.futures.ProcessPoolExecutor(2) as pool:\n    print(list(pool.map(f, [1, 2])))',
  ],
  [
    'shared memory',
    `import multiprocessing.shared_memory
made = multiprocessing.shared_memory.SharedMemory(create=True, size=8)
child = multiprocessing.Process(target=lambda: made.buf.__setitem__(0, 7))
child.start()
child.join()
print([made.buf[0] - 6, f(2)])
made.close()
made.unlink()`,
  ],
])('code may share its work among processes: %s', async (_, code) => {
  const [result] = await run({}, `def f(x):\n    return x * x\n${code}`);
  expect(result).toMatchObject({ outcome: 'ok', stdout: expect.stringMatching(/^\[1, 4\]\n$/) });
});

const daemon = (ending: string): string =>
  [
    'import os, time',
    'ready, told = os.pipe()',
    'if os.fork() == 0:',
    '    os.setsid()',
    '    if os.fork() != 0:',
    '        os._exit(0)',
    '    os.write(told, b"x")',
    '    for _ in range(600):',
    '        open("/sandbox/tmp/alive", "w").write(str(time.time()))',
    '        time.sleep(0.05)',
    '    os._exit(0)',
    'os.read(ready, 1)',
    ending,
  ].join('\n');
/** Prints the processes of the session, once those that were ended before are gone, which takes the kernel a moment. */
const countProcesses = [
  'import os, time',
  'until = time.monotonic() + 5',
  'while (count := sum(name.isdigit() for name in os.listdir("/proc"))) > 3 and time.monotonic() < until:',
  '    time.sleep(0.01)',
  'print(count)',
].join('\n');
/** The session, the interpreter, and its snapshot where it has one. */
const fewProcesses = /^[23]\n$/;

test.each([
  ['that runs', 'print("started")', 'ok'],
  ['that fails', '1 / 0', 'exception'],
  ['that runs too long', 'time.sleep(60)', 'timeout'],
] as const)('a daemon does not outlive a call %s', async (_, ending, outcome) => {
  const [started, count] = await run(shortCall, daemon(ending), countProcesses);
  expect(started?.outcome).toBe(outcome);
  expect(count?.stdout).toMatch(fewProcesses);
});

test('threads do not outlive their call, and what it set stays', async () => {
  const [started, count, value] = await run(
    {},
    'import threading, time\nx = 5\nthreading.Thread(target=time.sleep, args=(60,)).start()\nprint(threading.active_count())',
    countProcesses,
    'print(x, len(os.listdir("/proc/self/task")))',
  );
  expect([started?.stdout, value?.stdout]).toEqual(['2\n', '5 1\n']);
  expect(count?.stdout).toMatch(fewProcesses);
});

test('processes that multiply are held to a number and end with their call', async () => {
  const [many, count] = await run(
    { limits: { callSeconds: 30 } },
    `import os, time
started = 0
try:
    while started < 1000:
        if os.fork() == 0:
            time.sleep(60)
        started += 1
except OSError:
    print(started < 1000)`,
    countProcesses,
  );
  expect(many).toMatchObject({ outcome: 'ok', stdout: 'True\n' });
  expect(count?.stdout).toMatch(fewProcesses);
});

test('a program that code starts from a file is seen by no one after the call', async () => {
  const [started] = await run(
    {},
    'import os, sys\nif os.fork() == 0:\n    os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)", "mark-of-the-test"])\nprint("started")',
  );
  expect(started?.stdout).toBe('started\n');
  expect(await processesWith('mark-of-the-test')).toEqual([]);
});

test.each([
  ['writes noise where its interpreter reports', 'os.write(channel, b"noise" * 100)', 'policy'],
  ['reports a result that is none', 'send({"outcome": "ok", "stdout": 5})', 'policy'],
  [
    'reports images that are none',
    'send({"outcome": "ok", "stdout": "", "stderr": "", "images": [1], "error": None})',
    'policy',
  ],
  ['reports a death that was none', 'send({"died": "x", "code": []})', 'policy'],
  ['closes the channel', 'os.close(channel)', 'exception'],
  ['ends all it can and itself', 'os.fork(); os.kill(-1, 9); os.kill(os.getpid(), 9)', 'memory'],
] as const)('code that %s has a typed outcome, and the next call runs', async (_, tampering, outcome) => {
  const [result, next] = await run(
    shortCall,
    `import os, stat, json, struct
channel = next(n for n in range(3, 128) if os.path.exists(f"/proc/self/fd/{n}") and stat.S_ISSOCK(os.fstat(n).st_mode))
def send(message):
    body = json.dumps(message).encode()
    os.write(channel, struct.pack(">I", len(body)) + body)
${tampering}`,
    'print("here")',
  );
  expect(result?.outcome).toBe(outcome);
  expect(next).toMatchObject({ outcome: 'ok', stdout: 'here\n' });
});
