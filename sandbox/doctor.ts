import { LensmithError } from '../domain/errors.ts';
import type { ExecutionResult, Isolation } from '../domain/sandbox.ts';
import { openSandbox, type Sandbox, type Session } from './open-sandbox.ts';

/** What was found of one wall of the sandbox. */
export interface Finding {
  readonly name: string;
  /** `absent` where this kernel or user lacks what a further wall needs: the others still hold. */
  readonly state: 'pass' | 'fail' | 'absent';
  readonly detail: string;
}

interface Probe {
  readonly name: string;
  /** Prints what it found; the probe passes where that is `expected`. */
  readonly code: string;
  readonly expected: RegExp;
}

const attempt = (...lines: string[]): string =>
  [
    'import os, ctypes',
    'try:',
    ...lines.map((line) => `    ${line}`),
    '    print("allowed")',
    'except Exception as e:',
    '    print(type(e).__name__)',
  ].join('\n');

const refused = /^(PermissionError|OSError|FileNotFoundError)$/;

const probes: readonly Probe[] = [
  { name: 'process namespace', code: 'import os\nprint(os.getpid() < 602)', expected: /^True$/ },
  { name: "the host's files are out of sight", code: attempt('open("/etc/passwd")'), expected: refused },
  { name: 'read-only root', code: attempt('open("/usr/lensmith", "w")'), expected: refused },
  {
    name: 'no network',
    code: attempt('import socket', 'socket.create_connection(("127.0.0.1", 1), 1)'),
    expected: refused,
  },
  {
    name: 'no capability, no new privileges',
    code: 'print([line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapEff", "NoNewPrivs"))])',
    expected: /^\['0{16}', '1'\]$/,
  },
  {
    name: 'no further user namespace',
    code: 'import ctypes\nprint(ctypes.CDLL(None).unshare(0x10000000))',
    expected: /^-1$/,
  },
  {
    name: 'nothing executable in the working folder',
    code: attempt(
      'open("program", "w").write("#!/bin/sh\\n")',
      'os.chmod("program", 0o700)',
      'os.execv("./program", ["x"])',
    ),
    expected: refused,
  },
  {
    name: 'memory limit',
    code: 'try:\n    bytearray(8 << 30)\n    print("allowed")\nexcept MemoryError:\n    print("MemoryError")',
    expected: /^MemoryError$/,
  },
];

const look = ({ outcome, stdout, error }: ExecutionResult): string =>
  stdout.trim() || `${outcome}${error ? `: ${error.message}` : ''}`;

const probeSession = async (session: Session): Promise<Finding[]> => {
  const findings: Finding[] = [];
  for (const { name, code, expected } of probes) {
    const detail = look(await session.execute({ code, seconds: 5 }));
    findings.push({ name, state: expected.test(detail) ? 'pass' : 'fail', detail });
  }
  const late = await session.execute({ code: 'while True:\n    pass', seconds: 0.5 });
  findings.push({
    name: 'a call ends at its limit',
    state: late.outcome === 'timeout' ? 'pass' : 'fail',
    detail: look(late),
  });
  return findings;
};

const further = ({ seccomp, landlock }: Sandbox['walls']): Finding[] => [
  {
    name: 'seccomp filter',
    state: seccomp ? 'pass' : 'absent',
    detail: seccomp ? 'installed' : 'this kernel has no seccomp filters, or the processor is not known',
  },
  {
    name: 'Landlock',
    state: landlock > 0 ? 'pass' : 'absent',
    detail: landlock > 0 ? `version ${landlock}` : 'this kernel has none, or it is not among its active modules',
  },
  {
    name: 'an unprivileged user',
    state: process.getuid?.() === 0 ? 'absent' : 'pass',
    detail:
      process.getuid?.() === 0
        ? 'the supervisor is root: the limit of processes counts less, see "Outcomes and limits" of the manual'
        : `uid ${process.getuid?.() ?? 'unknown'}`,
  },
];

/**
 * Tries each wall of the sandbox on this host, with the code of a session against it.
 *
 * A host that cannot isolate at all is one finding that fails, with what to do.
 */
export const examineSandbox = async (options: { python: string; isolation: Isolation }): Promise<Finding[]> => {
  let sandbox: Sandbox;
  try {
    sandbox = await openSandbox({ ...options, prepared: 0 });
  } catch (error) {
    if (!(error instanceof LensmithError)) throw error;
    return [{ name: 'a fork server with namespaces', state: 'fail', detail: error.message }];
  }
  try {
    const session = await sandbox.createSession({});
    return [
      { name: 'a fork server with namespaces', state: 'pass', detail: `isolation ${sandbox.isolation}` },
      ...(await probeSession(session)),
      ...further(sandbox.walls),
    ];
  } finally {
    await sandbox.close();
  }
};
