import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { smallPng } from './pictures.ts';
import { python } from './python.ts';
import { sharedSandbox } from './shared-sandbox.ts';

const sandbox = sharedSandbox();
const { run } = sandbox;

/** Prints what became of a Python expression: its value, or the class of its exception. */
const attempt = (expression: string): string =>
  `try:\n    print(${expression})\nexcept Exception as error:\n    print(type(error).__name__)`;

const becomes = async (expression: string): Promise<string | undefined> => {
  const [result] = await run({}, `import os, socket, subprocess\n${attempt(expression)}`);
  return result?.stdout.trim();
};

test('a listener that the host reaches is out of reach of the code', async () => {
  const server = createServer((socket) => socket.end('hello'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const [greeting] = await once(createConnection(port, '127.0.0.1'), 'data');
  expect(String(greeting)).toBe('hello');
  expect(await becomes(`socket.create_connection(("127.0.0.1", ${port}), 2)`)).toBe('PermissionError');
});

test('no name resolves, and there is no network device that is up', async () => {
  expect(await becomes('socket.getaddrinfo("example.org", 80)')).toBe('gaierror');
  expect(await becomes('[line.split(":")[0].strip() for line in open("/proc/net/route")][1:]')).toBe('[]');
});

test('files of the host do not exist for the code', async () => {
  const folder = await temporaryFolder();
  const secret = join(folder, 'secret.txt');
  await writeFile(secret, 'secret');
  await chmod(secret, 0o666);
  const checkout = join(import.meta.dirname, '../../package.json');
  const places = ['/etc/passwd', '/etc/shadow', checkout, join(homedir(), '.ssh'), secret, '/proc/1/root/etc/passwd'];
  for (const place of places) {
    expect(await becomes(`os.stat("${place}")`), place).toMatch(/^(FileNotFoundError|PermissionError)$/);
  }
});

test('the environment holds nothing of the supervisor', async () => {
  process.env.LENSMITH_TEST_SECRET = 'secret-of-the-test';
  onTestFinished(() => void delete process.env.LENSMITH_TEST_SECRET);
  const own = await sandbox.withSession({}, (session) =>
    session.execute({ code: 'import os\nprint(dict(os.environ))' }),
  );
  expect(own.stdout).toContain("'HOME': '/sandbox'");
  expect(own.stdout).not.toContain('SECRET');
  expect(await becomes('open("/proc/1/environ", "rb").read()')).toBe('PermissionError');
});

test('only processes of the session are to be seen', async () => {
  const pids = await becomes(
    '[open(f"/proc/{pid}/comm").read().strip() for pid in os.listdir("/proc") if pid.isdigit()]',
  );
  // The session and the interpreter.
  expect(pids?.split(',')).toHaveLength(2);
});

test.each([
  '/proc/sys/kernel/core_pattern',
  '/proc/sys/kernel/hostname',
  '/proc/sys/vm/drop_caches',
  '/proc/sys/kernel/pid_max',
  '/proc/self/uid_map',
])('%s cannot be written', async (path) => {
  expect(await becomes(`open("${path}", "w").write("1")`)).toMatch(/^(OSError|PermissionError)$/);
});

test.each(['/usr/x', '/x', '/guest/x', '/dev/x', '/lib/x', '/bin/x'])('%s cannot be created', async (path) => {
  expect(await becomes(`open("${path}", "w")`)).toMatch(/^(OSError|PermissionError)$/);
});

const isUnderTmp = [import.meta.dirname, python].some((path) => path.startsWith('/tmp/'));

test.runIf(isUnderTmp)('/tmp stays a folder in which nobody writes where the checkout lies below it', async () => {
  expect(await becomes(`open("/tmp/lensmith-${randomUUID()}", "w")`)).toMatch(/^(OSError|PermissionError)$/);
});

const isInOwnFolder = async (place: string): Promise<void> => {
  const host = join(place, `lensmith-${randomUUID()}`);
  const [one, other] = await Promise.all([sandbox.get().createSession({}), sandbox.get().createSession({})]);
  const write = await one.execute({
    code: `import os\nopen("${host}", "w").write("x")\nprint(os.path.realpath("${host}"))`,
  });
  expect(write.stdout).toBe(`${join('/sandbox/tmp', basename(host))}\n`);
  await one.execute({ code: `os.unlink("${host}")\nopen("${host}2", "w").close()\n1 / 0` });
  const look = `import os\nprint([path for path in ("${host}", "${host}2") if os.path.exists(path)])`;
  expect((await one.execute({ code: look })).stdout).toBe(`['${host}']\n`);
  expect((await other.execute({ code: look })).stdout).toBe('[]\n');
  await expect(stat(host)).rejects.toThrow('ENOENT');
  await Promise.all([one.close(), other.close()]);
};

test('/dev/shm is in the own folder of each session, and undone with it', () => isInOwnFolder('/dev/shm'));

test.skipIf(isUnderTmp)('/tmp is in the own folder of each session, and undone with it', () => isInOwnFolder('/tmp'));

test("the interpreter's own folder is read-only", async () => {
  expect(await becomes('open(os.path.join(os.path.dirname(np.__file__), "x.py"), "w")')).toBe('OSError');
});

test("the supervisor's socket has no name inside, and one line leads to it, which does not tell where", async () => {
  expect(await becomes('os.path.exists("/sandbox/meeting")')).toBe('False');
  const [sockets] = await run(
    {},
    `import os, stat
count = 0
for number in range(128):
    try:
        count += stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        continue
print(count)`,
  );
  // The channel to the session's first process, and the line.
  expect(sockets?.stdout).toBe('2\n');
  expect(await becomes('__import__("socket").socket(fileno=os.dup(4)).getpeername()')).toBe('PermissionError');
  expect(await becomes('os.readlink("/proc/1/fd/3")')).toBe('PermissionError');
});

test("the host's devices take writes, but keep their mode", async () => {
  expect(await becomes('open("/dev/null", "w").write("x")')).toBe('1');
  expect(await becomes('os.chmod("/dev/null", 0o666)')).toBe('OSError');
});

test('the code has no capability and gets none, also not in a namespace of its own', async () => {
  const status = await becomes(
    '[line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapEff", "CapPrm", "NoNewPrivs"))]',
  );
  expect(status).toBe("['0000000000000000', '0000000000000000', '1']");
  const [unshared] = await run({}, 'import ctypes\nprint(ctypes.CDLL(None).unshare(0x10000000))');
  expect(unshared?.stdout).toBe('-1\n');
});

test('the session may not be traced or killed by its code', async () => {
  const [traced, killed, after] = await run(
    {},
    'import ctypes\nprint(ctypes.CDLL(None).ptrace(16, 1, 0, 0))',
    'import os\ntry:\n    os.kill(1, 9)\nexcept PermissionError:\n    pass\nprint("tried")',
    'print("here")',
  );
  expect([traced?.stdout, killed?.stdout, after?.stdout]).toEqual(['-1\n', 'tried\n', 'here\n']);
});

test('no signal of the code would reach the session, also where Landlock does not refuse it', async () => {
  const handled = '[line.split()[1] for line in open("/proc/1/status") if line.startswith("SigCgt")]';
  const [result] = await run({}, handled);
  expect(result?.stdout).toBe("['0000000000000000']\n");
});

test('a session sees no files of another', async () => {
  const listing = 'import os\nprint(sorted(os.listdir("/sandbox")), os.listdir("."), os.listdir("/sandbox/tmp"))';
  const [one, other] = await Promise.all([sandbox.get().createSession({}), sandbox.get().createSession({})]);
  await one.execute({ code: 'open("mine.txt", "w").close()\nopen("/sandbox/tmp/mine.txt", "w").close()' });
  const { stdout } = await other.execute({ code: listing });
  expect(stdout).toBe("['session', 'tmp'] [] []\n");
  await Promise.all([one.close(), other.close()]);
});

test('a path of the supervisor given as input does not lead code to its folder', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'pictures'));
  const path = join(folder, 'pictures', 'digit.png');
  await writeFile(path, Buffer.from(await smallPng(), 'base64'));
  const [result] = await run({ images: [{ path }] }, `import os\nprint(input_image.size, os.path.exists("${folder}"))`);
  expect(result?.stdout).toBe('(28, 28) False\n');
});
