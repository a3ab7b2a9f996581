import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Probe, refused } from './probe.ts';
import { runProbes } from './run-probes.ts';

/** System calls with arguments that would do harm, each by its numbers on x86_64 and aarch64. */
const calls: readonly (readonly [name: string, ...attempts: string[]])[] = [
  ['what all programs of a user have few of', '294, 26, 0', '206, 0, 4096, ctypes.create_string_buffer(8)'],
  ['ptrace of others', '101, 117, 16, 1, 0, 0', '101, 117, 0x4206, os.getppid(), 0, 0', '101, 117, 0x4206, 1, 0, 0'],
  ['bpf', '321, 280, 0, ctypes.create_string_buffer(struct.pack("IIII", 2, 4, 4, 16) + bytes(100)), 72'],
  ['perf_event_open', '298, 241, ctypes.create_string_buffer(struct.pack("II", 1, 112) + bytes(104)), 0, -1, -1, 0'],
  ['userfaultfd', '323, 282, 0', '323, 282, 1'],
  ['io_uring_setup', '425, 425, 8, ctypes.create_string_buffer(120)'],
  [
    'keyrings',
    '250, 219, 0, -3, 1',
    '248, 217, b"user", b"name", b"value", 5, -4',
    '249, 218, b"user", b"name", 0, -4',
  ],
  [
    'unshare of every namespace',
    ...[0x10000000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000, 0x2000000, 0x80].map(
      (flag) => `272, 97, ${flag}`,
    ),
  ],
  [
    'setns to namespaces of the first process and its own',
    ...['1', 'self'].flatMap((process) =>
      ['user', 'mnt', 'net', 'pid'].map((kind) => `308, 268, os.open("/proc/${process}/ns/${kind}", 0), 0`),
    ),
    '308, 268, os.pidfd_open(1), 0x10000000',
  ],
  [
    'clone into namespaces',
    ...[0x10000000, 0x20000, 0x40000000].map((flag) => `56, 220, ${flag} | signal.SIGCHLD, 0, 0, 0, 0`),
  ],
  [
    'clone3 into namespaces',
    '435, 435, ctypes.create_string_buffer(struct.pack("8Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0)), 64',
  ],
  ['memfd_create', '319, 279, b"x", 0', '447, 447, 0'],
  [
    'files by their handle',
    '303, 264, -100, b"/usr", ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128)), ctypes.create_string_buffer(8), 0',
    '304, 265, os.open("/usr", 0), ctypes.create_string_buffer(struct.pack("IiQ", 8, 1, 2)), 0',
  ],
  ['kexec', '246, 104, 0, 0, 0, 0', '320, 294, -1, -1, 0, 0, 0'],
  ['kernel modules', '175, 105, b"x", 1, b""', '313, 273, 0, b"", 0', '176, 106, b"x", 0'],
  [
    'mounts',
    '165, 40, b"none", b"/", b"", 4096 | 32, 0',
    '165, 40, b"tmpfs", b"/sandbox/tmp", b"tmpfs", 0, 0',
    '165, 40, b"proc", b"/sandbox/tmp", b"proc", 0, 0',
    '165, 40, b"/sandbox", b"/usr", b"", 4096, 0',
    '166, 39, b"/proc", 2',
    '166, 39, b"/sandbox", 2',
    '442, 442, -100, b"/", 0, ctypes.create_string_buffer(struct.pack("4Q", 0, 1, 0, 0)), 32',
  ],
  [
    'the newer calls for mounts',
    '430, 430, b"tmpfs", 0',
    '428, 428, -100, b"/", 1',
    '433, 433, -100, b"/", 0',
    '429, 429, -100, b"/usr", -100, b"/sandbox", 0',
  ],
  [
    'pivot_root and chroot',
    '155, 41, b"/sandbox", b"/sandbox/tmp"',
    '161, 51, b"/sandbox"',
    '161, 51, b"/proc/1/root"',
  ],
  [
    'reboot, swap and accounting',
    '169, 142, 0xFEE1DEAD, 672274793, 0x89ABCDEF, 0',
    '167, 224, b"/sandbox/x", 0',
    '163, 89, b"/sandbox/x"',
  ],
  ['names of the host', '170, 161, b"taken", 5', '171, 162, b"taken", 5'],
  ['the clock', '164, 170, ctypes.create_string_buffer(16), 0', '227, 112, 0, ctypes.create_string_buffer(16)'],
  [
    'capabilities',
    '126, 91, ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0)), ctypes.create_string_buffer(b"\\xff" * 24)',
    '157, 167, 24, 21, 0, 0, 0',
  ],
  ['the log of the kernel', '103, 116, 3, ctypes.create_string_buffer(64), 64', '103, 116, 5, 0, 0'],
  [
    'quotas, fanotify and handles of descriptors',
    '179, 60, 0x800002, b"/dev/sda", 0, 0',
    '300, 262, 0, 0',
    '438, 438, os.pidfd_open(1), 3, 0',
  ],
  [
    'advice on the memory of others',
    '440, 440, os.pidfd_open(1), 0, 0, 4, 0',
    '256, 238, 1, 0, 0, 0',
    '279, 239, 1, 0, 0, 0, 0, 0',
  ],
  [
    'limits and schedules of the first process',
    '302, 261, 1, 7, ctypes.create_string_buffer(bytes(16)), 0',
    '203, 122, 1, 8, ctypes.create_string_buffer(b"\\1" * 8)',
  ],
];

const inMachineCode = (bytes: string): string => `
import mmap
room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
room.write(bytes.fromhex("${bytes}"))
function = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(room)))
print("gave", function())`;

/** A shared library, in base64, whose constructor tries to leave a file behind. */
const sharedLibrary = async (folder: string): Promise<string> => {
  const source = join(folder, 'library.c');
  const target = join(folder, 'library.so');
  await writeFile(
    source,
    `#include <fcntl.h>
__attribute__((constructor)) static void begin(void) { open("/tmp/loaded", O_CREAT | O_WRONLY, 0666); }
int answer(void) { return open("${folder}/loaded", O_CREAT | O_WRONLY, 0666); }
`,
  );
  await promisify(execFile)('gcc', ['-shared', '-fPIC', '-nostartfiles', '-o', target, source]);
  const content = await readFile(target, 'base64');
  await Promise.all([rm(source), rm(target)]);
  return content;
};

const probes: Probe[] = [
  ...calls.map(
    ([name, ...attempts]): Probe => ({
      name,
      code: attempts.map((attempt) => `tried(lambda: system_call(${attempt}))`).join('\n'),
      outcomes: ['ok'],
      prints: refused,
    }),
  ),
  {
    name: 'a system call of the 32-bit interface',
    // mov eax, 20 (getpid); int 0x80; ret
    code: inMachineCode('b814000000cd80c3'),
    outcomes: ['exception', 'ok'],
  },
  {
    name: 'a system call of the x32 interface',
    // mov eax, 0x40000000 + 272 (unshare); mov edi, CLONE_NEWUSER; syscall; ret
    code: inMachineCode('b810010040bf000000100f05c3'),
    outcomes: ['exception', 'ok'],
    prints: /^(gave -\d+\n)?$/,
  },
  {
    name: 'typing into a terminal',
    code: 'import fcntl\nfor number in (0, 1, 2):\n    tried(lambda: fcntl.ioctl(number, 0x5412, b"x"))\n    tried(lambda: fcntl.ioctl(number, 0x541C, b"\\3"))',
    prints: refused,
  },
  {
    name: 'loading a shared object from its folder',
    code: async ({ folder }) => `
content = base64.b64decode("${await sharedLibrary(folder)}")
for path in ("/sandbox/session/library.so", "/sandbox/tmp/library.so"):
    open(path, "wb").write(content)
    os.chmod(path, 0o755)
    tried(lambda: ctypes.CDLL(path).answer())`,
    outcomes: ['ok'],
    prints: refused,
  },
  {
    name: 'running a program from its folder, or from a file that has no name',
    code: `
program = open(os.path.realpath(sys.executable), "rb").read()[:60_000_000]
open("program", "wb").write(program)
os.chmod("program", 0o755)
tried(lambda: os.posix_spawn("/sandbox/session/program", ["program", "-c", "pass"], {}))
def unnamed():
    place = os.open("/sandbox/tmp", os.O_TMPFILE | os.O_RDWR, 0o700)
    os.write(place, program)
    reader = os.open(f"/proc/self/fd/{place}", os.O_RDONLY)
    os.close(place)
    return os.posix_spawn(f"/proc/self/fd/{reader}", ["program", "-c", "pass"], {})
tried(unnamed)
tried(lambda: os.memfd_create("program"))`,
    outcomes: ['ok'],
    prints: refused,
  },
  {
    name: 'machine code that the code writes itself stays within its rights',
    // mov eax, 165 (mount); xor edi, edi; syscall; ret, and on other machines a crash.
    code: inMachineCode('b8a500000031ff0f05c3'),
    outcomes: ['ok', 'exception'],
    prints: /^(gave -\d+\n)?$/,
  },
];

runProbes(probes);
