import { type Probe, refused } from './probe.ts';
import { runProbes } from './run-probes.ts';

const probes: Probe[] = [
  {
    name: 'reading files of the host by their path',
    code: ({ file, folder }) => `
for path in (${JSON.stringify(file)}, "/etc/passwd", "/etc/shadow", "/etc/hostname", "/root/.ssh", "/home", "/var/log", "/sys/kernel"):
    tried(lambda: os.stat(path))
tried(lambda: os.listdir(${JSON.stringify(folder)}))`,
    prints: refused,
  },
  {
    name: 'reading files of the host by way of processes',
    code: ({ file }) => `
for process in ("1", "self", "thread-self", str(os.getppid())):
    for link in ("root", "cwd"):
        tried(lambda: open(f"/proc/{process}/{link}/../../../../..${file}").read())`,
    prints: refused,
  },
  {
    name: 'climbing out by an open folder',
    code: ({ file }) => `
place = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
for _ in range(40):
    place = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place)
    if os.path.exists(f"/proc/self/fd/{place}/proc/sysrq-trigger") and not os.path.exists("/sandbox"):
        print("reached")
tried(lambda: os.open("${file}".lstrip("/"), os.O_RDONLY, dir_fd=place))`,
    outcomes: ['ok'],
    prints: refused,
  },
  {
    name: 'climbing out by descriptors that it inherited',
    code: ({ file }) => `
for number in range(1024):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        continue
    if stat.S_ISDIR(mode):
        tried(lambda: os.open("../" * 30 + "${file}".lstrip("/"), os.O_RDONLY, dir_fd=number))
tried(lambda: open("${file}"))`,
    prints: refused,
  },
  {
    name: 'a symbolic link to a file of the host',
    code: ({ file }) => `
os.symlink("${file}", "link")
tried(lambda: open("link").read())
tried(lambda: open("link", "a").write("x"))`,
    prints: refused,
  },
  {
    name: 'a symbolic link where the next rollback writes',
    code: ({ file, folder }) => `
open("kept.txt", "w").write("x")
os.symlink("${file}", "input_image.jpg")
os.rename("/sandbox/session", "/sandbox/moved")
os.symlink("${folder}", "/sandbox/session")
raise ValueError`,
    outcomes: ['exception'],
  },
  {
    name: 'a returned image that is a link to a file of the host',
    code: ({ file }) => `
os.symlink("${file}", "shown.png")
tried(lambda: Image.new("RGB", (4, 4)).save("shown.png"))
display(Image.new("RGB", (4, 4)))`,
    outcomes: ['ok'],
    prints: refused,
  },
  {
    name: 'a hard link to what all sessions share',
    code: `
import numpy
for path in ("/usr/bin/env", numpy.__file__, sys.executable):
    tried(lambda: os.link(os.path.realpath(path), "linked"))`,
    prints: refused,
  },
  {
    name: 'writing outside its own folder',
    code: ({ folder }) => `
import numpy
places = ["/", "/usr", "/usr/lib", "/lib", "/bin", "/guest", "/dev", "/etc", "/proc", "/var/tmp", "${folder}"]
for place in [*places, os.path.dirname(numpy.__file__), os.path.dirname(sys.executable)]:
    tried(lambda: open(os.path.join(place, "written"), "w"))
    tried(lambda: os.mkdir(os.path.join(place, "made")))`,
    prints: refused,
  },
  {
    name: 'changing the code that the next session runs',
    code: `
import numpy, run_code
for module in (numpy, run_code, os, np.linalg):
    tried(lambda: open(module.__file__, "r+"))
    tried(lambda: os.truncate(module.__file__, 0))
    tried(lambda: os.rename(module.__file__, module.__file__ + "x"))
    tried(lambda: os.utime(module.__file__))
    tried(lambda: os.chmod(module.__file__, 0o777))`,
    outcomes: ['ok'],
    prints: refused,
  },
  {
    name: 'writing to shared pages of a library',
    code: `
import mmap, numpy
file = open(numpy.__file__, "rb")
tried(lambda: mmap.mmap(file.fileno(), 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE))
def poke():
    with open("/proc/self/mem", "r+b", 0) as memory:
        return memory.seek(0)
tried(poke)`,
    prints: refused,
  },
  {
    name: 'programs with a set-user-id bit',
    code: `
open("tool", "wb").write(open(os.path.realpath(sys.executable), "rb").read())
os.chmod("tool", 0o6755)
tried(lambda: os.posix_spawn("tool", ["tool", "-c", "pass"], {}))
tried(lambda: os.setuid(0))
tried(lambda: os.setresuid(0, 0, 0))
tried(lambda: os.setgroups([0]))
tried(lambda: os.chown("tool", 0, 0))`,
    prints: refused,
  },
  {
    name: 'device nodes',
    code: `
for mode, device in ((stat.S_IFBLK, os.makedev(8, 0)), (stat.S_IFCHR, os.makedev(1, 1)), (stat.S_IFCHR, os.makedev(1, 3))):
    tried(lambda: os.mknod("device", mode | 0o666, device))
for name in ("mem", "kmem", "port", "kvm", "fuse", "sda", "vda", "loop-control", "net/tun", "tty", "ptmx", "console", "kmsg"):
    tried(lambda: os.open(f"/dev/{name}", os.O_RDWR))`,
    prints: refused,
  },
  {
    name: 'what is no file in the folder that is kept',
    code: `
os.mkfifo("pipe")
server = socket.socket(socket.AF_UNIX)
server.bind("socket")`,
    outcomes: ['policy', 'exception'],
  },
  {
    name: 'a pipe in place of a file, for the session to wait at',
    code: 'os.mkfifo("a")\nfor number in range(50):\n    os.mkfifo(f"/sandbox/tmp/{number}")',
    outcomes: ['policy', 'exception'],
  },
  {
    name: 'folders deeper than a path may be long',
    code: `
for _ in range(3000):
    os.mkdir("d" * 50)
    os.chdir("d" * 50)
1 / 0`,
    outcomes: ['exception'],
  },
  {
    name: 'folders that are closed to their owner',
    code: 'os.makedirs("a/b/c")\nopen("a/b/c/file", "w").close()\nfor path in ("a/b/c", "a/b", "a"):\n    os.chmod(path, 0)\n1 / 0',
    outcomes: ['exception'],
  },
  {
    name: 'file names that are no text',
    code: 'for name in (b"\\xff\\xfe", b"a\\nb", b"-rf", b"\\x1b[2J", b"x" * 255):\n    open(name, "w").close()',
    outcomes: ['no_output'],
  },
];

runProbes(probes);
