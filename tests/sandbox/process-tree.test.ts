import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { python } from './python.ts';

const guest = fileURLToPath(new URL('../../sandbox/guest', import.meta.url));
// A process that its own parent knows to be dead, and that is this process's child only once that parent ends.
const program = `import ctypes, os, signal, sys, time
sys.path.insert(0, sys.argv[1])
import process_tree
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
told, tell = os.pipe()
if os.fork() == 0:
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    os.write(tell, b"%d" % pid)
    time.sleep(0.2)
    os._exit(0)
pid = int(os.read(told, 16))
print(process_tree.status_of(pid), process_tree.status_of(pid))
`;

test('how a process ended is known also where what forked it takes a moment longer to end, and told once', async () => {
  const { stdout } = await promisify(execFile)(python, ['-c', program, guest], { timeout: 30_000 });
  expect(stdout).toBe('9 None\n');
});

// Of processes that are not there, so that nothing can be killed, and with a shorter patience.
const ending = `import itertools, sys, time
sys.path.insert(0, sys.argv[1])
import process_tree
process_tree._END_SECONDS, process_tree._MOST_SECONDS = 0.1, 0.2
began, numbers = time.monotonic(), itertools.count(1 << 23)
slow = lambda: {1 << 23} if time.monotonic() < began + 0.6 else set()
print(process_tree.end_all(slow, set()), process_tree.end_all(lambda: {next(numbers)}, set()))
process_tree._SLOW_SECONDS = 0.4
print(process_tree.end_all(lambda: {1 << 23}, set()))
`;

test('processes that are slow to be gone are waited for, and those that become more are not', async () => {
  const { stdout } = await promisify(execFile)(python, ['-c', ending, guest], { timeout: 30_000 });
  expect(stdout).toBe('True False\nFalse\n');
});
