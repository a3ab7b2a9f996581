import { type Probe, refused } from './probe.ts';
import { runProbes } from './run-probes.ts';

const writes = (...paths: string[]): string =>
  `for path in ${JSON.stringify(paths)}:\n    tried(lambda: os.write(os.open(path, os.O_WRONLY), b"1"))`;

const probes: Probe[] = [
  {
    name: 'keys of the kernel: sysrq',
    code: writes('/proc/sysrq-trigger', '/proc/sys/kernel/sysrq'),
    prints: refused,
  },
  {
    name: 'programs that the kernel starts',
    code: writes(
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/kernel/modprobe',
      '/proc/sys/kernel/hotplug',
      '/sys/kernel/uevent_helper',
      '/proc/sys/fs/binfmt_misc/register',
      '/sys/fs/cgroup/release_agent',
    ),
    prints: refused,
  },
  {
    name: 'settings of the kernel',
    code: writes(
      ...['kernel/hostname', 'kernel/pid_max', 'kernel/randomize_va_space', 'kernel/ns_last_pid', 'vm/drop_caches'],
      ...['vm/overcommit_memory', 'net/ipv4/ip_forward', 'user/max_user_namespaces', 'kernel/msgmax', 'fs/file-max'],
    ).replaceAll(/"(\w+\/)/g, '"/proc/sys/$1'),
    prints: refused,
  },
  {
    name: 'a new mount of /proc that is writable, and what lies below this one',
    code: `
tried(lambda: system_call(165, 40, b"none", b"/proc", b"", 32, 0))
tried(lambda: system_call(166, 39, b"/proc", 0))
tried(lambda: os.readlink("/proc/1/task/1/fd/0"))
tried(lambda: os.rmdir("/proc"))
tried(lambda: os.rename("/proc", "/x"))`,
    prints: refused,
  },
  {
    name: 'maps of its user namespace',
    code: writes('/proc/self/uid_map', '/proc/self/gid_map', '/proc/self/setgroups', '/proc/1/uid_map'),
    prints: refused,
  },
  {
    name: 'the order in which the system kills',
    code: writes(
      '/proc/self/oom_score_adj',
      '/proc/self/oom_adj',
      '/proc/1/oom_score_adj',
      '/proc/self/clear_refs',
      '/proc/self/coredump_filter',
    ),
    prints: refused,
  },
  {
    name: 'memory of the kernel and of the machine',
    code: `
for path in ("/proc/kcore", "/proc/kmem", "/dev/mem", "/dev/kmem", "/dev/port", "/sys/kernel/debug", "/sys/firmware", "/proc/kpagemap", "/proc/kmsg"):
    tried(lambda: os.pread(os.open(path, os.O_RDONLY), 8, 4096))`,
    prints: refused,
  },
  {
    name: 'addresses of the kernel',
    code: `
with open("/proc/kallsyms") as symbols:
    print({line.split()[0].strip("0") for line, _ in zip(symbols, range(200))} == {""})
for name in ("stack", "wchan"):
    with contextlib.suppress(OSError):
        print(all(part.strip("0x") == "" for part in open(f"/proc/self/{name}").read().split() if part.startswith("0xffff")))`,
    outcomes: ['ok', 'exception', 'no_output'],
    prints: /^(True\n)*$/,
  },
  {
    name: 'attributes of other processes',
    code: writes(
      '/proc/1/comm',
      '/proc/1/timerslack_ns',
      '/proc/1/sched',
      '/proc/1/attr/current',
      '/proc/1/mem',
      '/proc/1/loginuid',
    ),
    prints: refused,
  },
  {
    name: 'the file of the memory that all sessions begin with',
    code: `
[first] = [line.split()[0] for line in open("/proc/self/maps") if ("heap" in line or "written" in line) and "rw-p" in line][:1]
path = "/proc/self/map_files/" + "-".join(f"{int(part, 16):x}" for part in first.split("-"))
tried(lambda: os.open(path, os.O_RDWR))
tried(lambda: os.open(path, os.O_RDONLY))
tried(lambda: os.truncate(path, 0))`,
    prints: refused,
  },
];

runProbes(probes);
