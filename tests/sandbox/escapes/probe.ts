import type { CallOutcome, ExecutionResult, SessionOptions } from '../../../domain/sandbox.ts';
import type { World } from './world.ts';

/** One attempt of model code to leave its session, and what has to hold for it. */
export interface Probe {
  readonly name: string;
  /** Runs after `prelude`; a function gets what only the host knows, and the code must not learn. */
  readonly code: string | ((world: World) => string | Promise<string>);
  /** Outcomes of the call that are contained. @default all but `infrastructure` */
  readonly outcomes?: readonly CallOutcome[];
  /** What the code printed, whole. */
  readonly prints?: RegExp;
  readonly session?: SessionOptions;
  /** The code may leave its own session of no use: the calls after it only need an outcome. */
  readonly spoils?: true;
  /** Looks at the host while the code runs; it ends when the returned signal says so. */
  readonly meanwhile?: (world: World, ended: AbortSignal) => Promise<void>;
  /** Looks at what became of the call, with the session still open. */
  readonly afterwards?: (world: World, result: ExecutionResult) => Promise<void> | void;
}

/** Every attempt of the code raised an exception. */
export const refused = /^(refused \w+\n)+$/;

/** Outcomes of a call that the code or a limit ended, or that ended well. */
export const typed: readonly CallOutcome[] = ['ok', 'no_output', 'exception', 'timeout', 'memory', 'policy'];

/** A call that is short enough to wait for its time limit. */
export const shortCall: SessionOptions = { limits: { callSeconds: 1 } };

/** Stands before the code of each probe. */
export const prelude = `import base64, contextlib, ctypes, errno, os, signal, socket, stat, struct, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

def tried(action):
    try:
        value = action()
    except Exception as error:
        number = getattr(error, "errno", None)
        print("refused", errno.errorcode.get(number, type(error).__name__))
    else:
        print("reached", repr(value)[:200])

def system_call(x86, arm, *arguments):
    number = x86 if os.uname().machine == "x86_64" else arm
    plain = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = libc.syscall(ctypes.c_long(number), *plain)
    if result < 0:
        raise OSError(ctypes.get_errno(), "system call")
    return result

def own_memory(limit=1 << 29):
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            first, last = (int(part, 16) for part in span.split("-"))
            if "w" not in rights or last - first > limit:
                continue
            with contextlib.suppress(OSError, ValueError, OverflowError):
                memory.seek(first)
                yield memory.read(last - first)
`;
