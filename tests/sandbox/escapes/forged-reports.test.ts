import { expect } from 'vitest';
import type { CallOutcome } from '../../../domain/sandbox.ts';
import type { Probe } from './probe.ts';
import { runProbes } from './run-probes.ts';

/** Finds the descriptor on which the interpreter reports, and makes frames for it. */
const channel = `
import json
channel = next(
    number for number in range(3, 128)
    if os.path.exists(f"/proc/self/fd/{number}") and stat.S_ISSOCK(os.fstat(number).st_mode)
)
def send(message, *parts):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    os.write(channel, struct.pack(">I", len(body)) + body + b"".join(parts))
def report(*pictures, **changes):
    parts = [content for _, content in pictures]
    plain = {"outcome": "ok", "stdout": "forged", "stderr": "", "images": [image for image, _ in pictures], "error": None}
    send({**plain, "parts": [len(part) for part in parts], **changes}, *parts)
def picture(content, width=4, height=4, **more):
    return {"mediaType": "image/png", "width": width, "height": height, **more}, content
def png(width, height):
    import io, zlib
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100_000))) + chunk(b"IEND", b"")
`;

const forged: readonly (readonly [name: string, code: string, ...outcomes: CallOutcome[]])[] = [
  ['noise', 'os.write(channel, b"noise" * 1000)'],
  ['a length without an end', 'os.write(channel, b"\\xff\\xff\\xff\\xff")'],
  [
    'a length that is larger than what follows',
    'os.write(channel, struct.pack(">I", 1000) + b"{}")\nos.close(channel)',
  ],
  [
    'a frame of megabytes',
    'threading.Thread(target=lambda: send(b"[" + b"1," * 50_000_000 + b"1]")).start()\ntime.sleep(1)',
  ],
  ['JSON that nests without end', 'send(b"[" * 200_000 + b"]" * 200_000)'],
  ['an object that nests without end', 'send(b\'{"a":\' * 100_000 + b"1" + b"}" * 100_000)'],
  ['numbers that are none', 'send(b\'{"outcome": NaN, "stdout": Infinity}\')'],
  ['bytes that are no Unicode', 'send(b\'{"outcome": "\\xff"}\')'],
  ['keys of JavaScript', 'report(__proto__={"isAdmin": True}, constructor={"prototype": {"x": 1}})', 'ok', 'policy'],
  ['an outcome of its own', 'report(outcome="infrastructure")'],
  ['an outcome that is none', 'report(outcome="great")'],
  ['a success with an error', 'report(error={"type": "x", "message": "", "line": None, "traceback": ""})'],
  ['a duration of its own', 'report(durationMs=-1, isolation="none")', 'ok', 'policy'],
  ['a text that is too long', 'report(stdout="x" * 1_000_000)'],
  ['many images', 'report(*[picture(png(4, 4))] * 10_000)'],
  ['an image that is none', 'report(picture(b"no image at all"))', 'policy'],
  ['an image that unpacks to gigabytes', 'report(picture(png(60_000, 60_000), 60_000, 60_000))', 'policy'],
  ['an image of another size than it says', 'report(picture(png(60_000, 60_000), 4, 4))', 'policy'],
  ['an image with another digest', 'report(picture(png(4, 4), digest="0" * 64))', 'policy'],
  ['a digest that is a path', 'report(picture(png(4, 4), digest="../../../../etc/passwd"))', 'policy'],
  ['an image without its bytes', 'report(picture(png(4, 4)), parts=[])', 'policy'],
  ['bytes without an image', 'report(picture(png(4, 4)), images=[])', 'policy'],
  ['an image whose bytes never come', 'report(picture(png(4, 4)), parts=[100_000_000])', 'timeout'],
  ['an image of bytes without end', 'report(picture(png(4, 4)), parts=[1 << 62])'],
  ['an image of less than no bytes', 'report(picture(png(4, 4)), picture(b""), parts=[-1, 1])'],
  ['parts that are none', 'report(parts="none")'],
  ['parts that are an object', 'report(parts={"length": 1})'],
  ['the processes of a settled session', 'send({"live": 1, "snapshot": 1})'],
  ['its own process as its snapshot', 'send({"live": os.getpid(), "snapshot": os.getpid()})'],
  ['many reports ahead', 'for _ in range(50):\n    report()', 'ok', 'policy'],
  [
    'a report from a child, later',
    'if os.fork() == 0:\n    time.sleep(0.05)\n    while True:\n        report(stdout="late")\n        time.sleep(0.001)\ntime.sleep(0.3)',
    'ok',
    'policy',
    'no_output',
  ],
  ['nothing, with the channel closed', 'os.close(channel)'],
  ['nothing, with the channel shut down', 'socket.socket(fileno=os.dup(channel)).shutdown(socket.SHUT_RDWR)'],
  [
    'nothing, with the channel filled and not read',
    'socket.socket(fileno=os.dup(channel)).setblocking(False)\nwhile True:\n    try:\n        os.write(channel, bytes(65536))\n    except OSError:\n        break',
  ],
];

/** What code may do to the interpreter that runs it, through Python's own doors. */
const tampered: readonly (readonly [name: string, code: string])[] = [
  [
    'modules of the guest replaced',
    'import run_code, capture, frames\nrun_code.run_code = capture.Capture.begin = frames.send_frame = frames.receive_frame = None',
  ],
  [
    'modules removed',
    'for name in list(sys.modules):\n    if name not in ("sys", "builtins"):\n        sys.modules.pop(name)',
  ],
  [
    'builtins replaced',
    'import builtins\nbuiltins.len = lambda _: 0\nbuiltins.isinstance = lambda *_: True\nbuiltins.open = builtins.exec = builtins.compile = None',
  ],
  ['builtins emptied', 'import builtins\nvars(builtins).clear()'],
  [
    'JSON replaced',
    'import json\njson.dumps = lambda *_, **__: "{" * 1000\njson.loads = lambda *_: {"code": "1 / 0", "seconds": 1e9}',
  ],
  [
    'limits raised through the collector',
    'import gc\nfor thing in gc.get_objects():\n    if isinstance(thing, dict) and "outputCharacters" in thing:\n        thing.update(outputCharacters=1 << 40, imagesPerCall=1 << 40)\nprint("x" * 1_000_000)',
  ],
  [
    'limits raised through frames of the caller',
    'frame = sys._getframe()\nwhile frame:\n    for value in list(frame.f_locals.values()):\n        if isinstance(value, dict) and "limits" in value:\n            value["limits"]["outputCharacters"] = 1 << 40\n    frame = frame.f_back\nprint("x" * 1_000_000)',
  ],
  [
    'objects emptied through the collector',
    'import gc\nfor thing in gc.get_objects():\n    if type(thing) in (dict, list, set) and thing is not globals():\n        with contextlib.suppress(Exception):\n            thing.clear()',
  ],
  [
    'tracing left on',
    'def trace(*_):\n    raise ValueError\nthreading.settrace(trace)\nsys.setprofile(trace)\nsys.settrace(trace)',
  ],
  ['an audit hook that refuses all', 'def hook(*_):\n    raise RuntimeError\nsys.addaudithook(hook)'],
  [
    'signals handled for good',
    'for number in signal.valid_signals():\n    with contextlib.suppress(OSError, ValueError):\n        signal.signal(number, lambda *_: time.sleep(100))',
  ],
  [
    'streams that hang',
    'class Slow:\n    def write(self, text):\n        time.sleep(100)\n    flush = write\nsys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = Slow()',
  ],
  [
    'limits of the interpreter lowered',
    'sys.setrecursionlimit(30)\nsys.setswitchinterval(1e6)\nsys.set_int_max_str_digits(640)',
  ],
  [
    'limits of the process lowered',
    'import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))',
  ],
  ['memory of the interpreter overwritten', 'ctypes.memset(id(None), 255, 16)'],
  ['the namespace emptied', 'globals().clear()'],
  [
    'the working folder removed',
    'import shutil\nos.chdir("/")\nshutil.rmtree("/sandbox/session")\nshutil.rmtree("/sandbox/tmp")',
  ],
];

const probes: Probe[] = [
  ...forged.map(
    ([name, code, ...outcomes]): Probe => ({
      name: `a report that is ${name}`,
      code: channel + code,
      session: { limits: { callSeconds: 3 } },
      ...(outcomes.length > 0 ? { outcomes } : {}),
      afterwards: (_, result) => {
        expect(result.isolation).toBe('namespaces');
        expect(result.durationMs).toBeGreaterThanOrEqual(0);
        expect(result.stdout.length).toBeLessThanOrEqual(8192);
      },
    }),
  ),
  ...tampered.map(
    ([name, code]): Probe => ({
      name,
      code,
      session: { limits: { callSeconds: 3 } },
      spoils: true,
      afterwards: (_, { stdout }) => {
        expect(stdout.length).toBeLessThanOrEqual(8192);
      },
    }),
  ),
];

runProbes(probes);
