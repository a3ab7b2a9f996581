import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Pool } from '../../domain/gpu-pool.ts';
import type { StageStatus } from '../../domain/stage.ts';
import { findByEnvironment } from '../../processes/find-processes.ts';
import { type Network, openNetwork } from './network.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const inCheckout = (...parts: string[]): string => join(checkout, ...parts);
const control = 'control';
const subnet = '10.77.0';
const temporalAddress = `${subnet}.1:7233`;
const searchAttributes = ['LensmithRun', 'LensmithStage', 'LensmithVerdict'];
const readyMs = 120_000;

/** What `programs/tell.ts` tells; null for what did not answer. */
export interface Told {
  readonly status: string | null;
  readonly stages: readonly StageStatus[] | null;
  readonly pool: Pool | null;
}

/** Hosts that share a folder and a Temporal, as those of a real cluster do. */
export interface Cluster {
  /** The shared home. */
  readonly home: string;
  readonly network: Network;
  /** Runs the command `lensmith` where the control plane is. */
  readonly lensmith: (args: readonly string[]) => Promise<{ code: number | null; said: string }>;
  /** Hears each second how a run stands. */
  readonly follow: (workflowId: string) => () => Told | undefined;
  /** Starts a host, or starts it again after {@link Network.kill}. */
  readonly startHost: (host: string) => Promise<void>;
  readonly until: <T>(what: string, limitMs: number, look: () => T | undefined | Promise<T | undefined>) => Promise<T>;
  /** Ends everything and says what lives on. */
  readonly close: () => Promise<string[]>;
}

export interface ClusterOptions {
  readonly hosts: readonly string[];
  /** After so many seconds of silence the leases of a host are others'. */
  readonly silenceSeconds: number;
  readonly cpus: number;
}

/** Starts again what ends, as a service manager does. */
const again = (command: readonly string[]): string[] => [
  'sh',
  '-c',
  'while :; do "$@"; sleep 1; done',
  'keep',
  ...command,
];

/** Makes the control plane and the hosts; where this machine cannot make namespaces it says why. */
export const openCluster = async (options: ClusterOptions): Promise<Cluster | { readonly cannot: string }> => {
  const network = await openNetwork();
  if ('cannot' in network) return network;
  // Not below `/tmp`, which each host has for itself.
  const root = await mkdtemp('/var/tmp/lensmith-hosts-');
  const home = join(root, 'home');
  await mkdir(join(home, 'runs'), { recursive: true });
  const began = Date.now();

  const addressOf = (host: string): string => `${subnet}.${host === control ? 1 : 11 + options.hosts.indexOf(host)}`;
  const environmentOf = (host: string): Record<string, string> => {
    const { TMPDIR: _, ...inherited } = process.env;
    return {
      ...Object.fromEntries(Object.entries(inherited).flatMap(([name, value]) => (value ? [[name, value]] : []))),
      TEMPORAL_ADDRESS: temporalAddress,
      TEMPORAL_NAMESPACE: 'default',
      LENSMITH_HOME: home,
      LENSMITH_HOST: host,
      LENSMITH_ADDRESS: addressOf(host),
      LENSMITH_CPUS: String(options.cpus),
      LENSMITH_PORTS: '20000-20199',
      LENSMITH_LABELS: host === control ? 'role=control' : 'role=work',
      LENSMITH_SILENCE_SECONDS: String(options.silenceSeconds),
      LENSMITH_TOOL_SERVER: 'http://127.0.0.1:8450',
    };
  };
  const run = (host: string, name: string, command: readonly string[], env = {}): ChildProcessWithoutNullStreams => {
    const child = network.run(host, command, { ...environmentOf(host), ...env });
    const log = createWriteStream(join(root, `${host}-${name}.log`), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    return child;
  };
  const outcome = async (child: ChildProcessWithoutNullStreams): Promise<{ code: number | null; said: string }> => {
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        said += String(data);
      });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, said };
  };
  const until: Cluster['until'] = async (what, limitMs, look) => {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > deadline)
        throw new Error(`waited ${limitMs / 1000} s for: ${what} (${Math.round((Date.now() - began) / 1000)} s in)`);
      await delay(500);
    }
  };
  const startTools = (host: string): void => {
    const tools = [process.execPath, inCheckout('cli', 'main.ts'), 'tool-server', '--port', '8450'];
    run(host, 'tool-server', again(tools));
  };
  const startMachine = async (host: string): Promise<void> => {
    const temporary = join(root, `tmp-${host}`);
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true, mode: 0o1777 });
    await network.start(host, addressOf(host), temporary);
  };
  const startWorker = (host: string, name: 'host' | 'control'): void => {
    run(host, `${name}-worker`, again([process.execPath, inCheckout('workers', `${name}.ts`)]));
  };
  const startHost = async (host: string): Promise<void> => {
    await startMachine(host);
    startTools(host);
    startWorker(host, 'host');
  };
  const lensmith: Cluster['lensmith'] = (args) =>
    outcome(network.run(control, [inCheckout('cli', 'lensmith'), ...args], environmentOf(control)));

  const close = async (): Promise<string[]> => {
    await network.close();
    const deadline = Date.now() + 15_000;
    const living = () => findByEnvironment({ LENSMITH_HOME: home }).map(({ command }) => command);
    while (living().length > 0 && Date.now() < deadline) await delay(200);
    const left = living();
    if (process.env.LENSMITH_KEEP_HOSTS === undefined) await rm(root, { recursive: true, force: true });
    return left;
  };

  try {
    await startMachine(control);
    run(control, 'temporal', [
      ...[inCheckout('.venv', 'bin', 'temporal'), 'server', 'start-dev', '--headless', '--log-level', 'warn'],
      ...['--ip', '0.0.0.0', '--port', '7233'],
      ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ]);
    startWorker(control, 'control');
    startWorker(control, 'host');
    for (const host of options.hosts) await startHost(host);
    await until('all hosts in the pool', readyMs, async () => {
      const { code, said } = await lensmith(['hosts', '--json']);
      if (code !== 0) await delay(2000);
      return code === 0 && [control, ...options.hosts].every((host) => said.includes(`"${host}"`)) ? true : undefined;
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    home,
    network,
    lensmith,
    startHost,
    until,
    close,
    follow: (workflowId) => {
      const child = run(control, 'tell', [
        process.execPath,
        inCheckout('tests', 'hosts', 'programs', 'tell.ts'),
        workflowId,
      ]);
      let last: Told | undefined;
      createInterface({ input: child.stdout }).on('line', (line) => {
        last = JSON.parse(line);
      });
      return () => last;
    },
  };
};
