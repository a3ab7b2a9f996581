import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));
const program = (name: string): string => fileURLToPath(new URL(`programs/${name}`, import.meta.url));
const answerMs = 30_000;

/** Networks of a test's own, one for each host, joined by a bridge. */
export interface Network {
  /** Makes a host; `temporary` is a folder of this machine that becomes its `/tmp`. */
  readonly start: (host: string, address: string, temporary: string) => Promise<void>;
  /** The host that a process runs on, by its process namespace; undefined for one of no host, or that has ended. */
  readonly hostOf: (pid: number) => string | undefined;
  /** Ends a host with all its processes, as a power cut would. */
  readonly kill: (host: string) => Promise<void>;
  /** Cuts a host off, or joins it again. */
  readonly link: (host: string, state: 'up' | 'down') => Promise<void>;
  /** Makes the way to a host slow; says by what the kernel can do it. */
  readonly slow: (host: string, delayMs: number, kbit: number) => Promise<string>;
  /** Starts a program on a host; it ends with the host, or with its handle. */
  readonly run: (
    host: string,
    command: readonly string[],
    env: Readonly<Record<string, string>>,
  ) => ChildProcessWithoutNullStreams;
  readonly close: () => Promise<void>;
}

const nextLine = async (lines: Interface): Promise<Record<string, unknown>> => {
  const [line] = await once(lines, 'line', { signal: AbortSignal.timeout(answerMs) });
  return JSON.parse(String(line));
};

/** Names the process namespace of a process; undefined where it has ended. */
const processesOf = (pid: number): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
};

/** Makes the networks; where this machine cannot make namespaces it says why. */
export const openNetwork = async (): Promise<Network | { readonly cannot: string }> => {
  const child = spawn(python, [program('network.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines = createInterface({ input: child.stdout });
  let said = '';
  child.stderr.on('data', (data) => {
    said += String(data);
  });
  const ended = once(child, 'exit');
  const ready = await Promise.race([nextLine(lines), ended.then(() => null)]);
  if (ready === null) return { cannot: said.trim().split('\n').at(-1) ?? 'it ended' };

  const pids = new Map<string, number>();
  /** Hosts by their process namespaces, also of hosts that were killed. */
  const hosts = new Map<string | undefined, string>();
  const order = async (what: Record<string, unknown>): Promise<Record<string, unknown>> => {
    const answer = nextLine(lines);
    child.stdin.write(`${JSON.stringify(what)}\n`);
    const said = await answer;
    if (said.error) throw new Error(String(said.error));
    return said;
  };
  return {
    start: async (host, address, temporary) => {
      const { pid } = await order({ do: 'start', host, address, temporary });
      pids.set(host, Number(pid));
      hosts.set(processesOf(Number(pid)), host);
    },
    hostOf: (pid) => {
      const own = processesOf(pid);
      return own === undefined ? undefined : hosts.get(own);
    },
    kill: async (host) => {
      await order({ do: 'kill', host });
      pids.delete(host);
    },
    link: async (host, state) => {
      await order({ do: 'link', host, state });
    },
    slow: async (host, delayMs, kbit) => String((await order({ do: 'slow', host, delay_ms: delayMs, kbit })).by),
    run: (host, command, env) => {
      const pid = pids.get(host);
      if (pid === undefined) throw new Error(`expected a living host, got ${host}`);
      return spawn(python, [program('enter.py'), String(pid), ...command], { cwd: checkout, env: { ...env } });
    },
    close: async () => {
      child.stdin.end();
      const late = setTimeout(() => child.kill('SIGKILL'), answerMs);
      await ended;
      clearTimeout(late);
    },
  };
};
