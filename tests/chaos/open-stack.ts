import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { LensmithError } from '../../domain/errors.ts';
import type { Service } from '../../infra/local/service.ts';
import { serviceTable } from '../../infra/local/service-table.ts';
import type { StackState } from '../../infra/local/stack-state.ts';
import { stackUp } from '../../infra/local/stack-up.ts';
import { findByEnvironment } from '../../processes/find-processes.ts';
import { freePorts, isPortFree } from '../../processes/free-port.ts';
import { type DiskName, isInNamespace, type LinkName } from './ground.ts';
import { openRelay, type Relay } from './relay.ts';

export const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** A stack of the test's own. */
export interface ChaosStack {
  readonly home: string;
  /** `host:port` of its Temporal. */
  readonly temporal: string;
  readonly env: Readonly<Record<string, string>>;
  /** Ports of the relays, where links can be cut. */
  readonly links: Readonly<Partial<Record<LinkName, number>>>;
  /** Folders on disks of their own, where those can be filled. */
  readonly disks: Readonly<Partial<Record<DiskName, string>>>;
}

export interface OpenStack extends ChaosStack {
  /** Ends everything; says what lives on or lies about afterwards. */
  readonly close: () => Promise<string[]>;
}

/** Runs the command `lensmith` against a stack; a failure is in the result. */
export const lensmith = (stack: Pick<ChaosStack, 'env'>, args: readonly string[], limitMs = 900_000) =>
  execa(join(checkout, 'cli', 'lensmith'), args, { env: { ...stack.env }, timeout: limitMs, reject: false });

const portNames = ['temporal', 'temporalUi', 'ray', 'rayDashboard', 'rayClient', 'rayAgent', 'toolServer'] as const;
type Ports = Record<(typeof portNames)[number], number>;

const choosePorts = async (): Promise<Ports> => {
  const free = await freePorts(portNames.length);
  return Object.fromEntries(portNames.map((name, index) => [name, free[index]])) as Ports;
};

/** What a run asks for before it begins, and some more; a test can fill it in a moment. */
const diskSize = { runs: '1800m', database: '200m' };

const mountDisks = async (home: string): Promise<Record<DiskName, string>> => {
  const disks = { runs: join(home, 'runs'), database: join(home, 'database') };
  for (const [name, folder] of Object.entries(disks)) {
    await mkdir(folder, { recursive: true });
    await execa('mount', ['-t', 'tmpfs', '-o', `size=${diskSize[name as DiskName]}`, `chaos-${name}`, folder]);
  }
  return disks;
};

const openRelays = async (ports: Ports): Promise<Record<LinkName, Relay>> => ({
  'control-temporal': await openRelay(ports.temporal),
  'host-temporal': await openRelay(ports.temporal),
  'host-ray': await openRelay(ports.rayDashboard),
  'trainer-tools': await openRelay(ports.toolServer),
});

interface Ground {
  readonly relays: Record<LinkName, Relay>;
  readonly disks: Record<DiskName, string>;
}

const throughRelays = ({ relays, disks }: Ground, service: Service): Service => {
  const through = (link: LinkName): string => `127.0.0.1:${relays[link].port}`;
  const env: Record<string, Record<string, string>> = {
    'control-worker': { TEMPORAL_ADDRESS: through('control-temporal') },
    'host-worker': {
      TEMPORAL_ADDRESS: through('host-temporal'),
      LENSMITH_RAY_ADDRESS: `http://${through('host-ray')}`,
      LENSMITH_TOOL_SERVER: `http://${through('trainer-tools')}`,
    },
  };
  const command = service.command.map((word) =>
    word.endsWith('temporal.db') ? join(disks.database, 'temporal.db') : word,
  );
  return { ...service, command, env: { ...service.env, ...env[service.name] } };
};

/** The usual services on a host with room for a trainer, the judge and an evaluation at once. */
const disturbable =
  (ground: Ground | undefined) =>
  (state: StackState): Service[] =>
    serviceTable(state)
      .map((service) => ({ ...service, env: { ...service.env, LENSMITH_CPUS: '8' } }))
      .map((service) => (ground ? throughRelays(ground, service) : service));

/** Ports of a stack that is down on which one of its processes still listens. */
const portsInUse = async (ports: Ports): Promise<string[]> => {
  const taken = await Promise.all(
    Object.entries(ports).map(async ([name, port]) => ((await isPortFree(port)) ? [] : [`in use: port of ${name}`])),
  );
  return taken.flat();
};

const once = <Value>(work: () => Promise<Value>): (() => Promise<Value>) => {
  let done: Promise<Value> | undefined;
  return () => {
    done ??= work();
    return done;
  };
};

const openOnce = async (): Promise<OpenStack> => {
  const root = await mkdtemp(join(tmpdir(), 'chaos-'));
  const [home, temporary] = [join(root, 'home'), join(root, 'tmp')];
  await mkdir(temporary);
  const ports = await choosePorts();
  const before = process.env.TMPDIR;
  // What the stack starts takes its environment from here.
  process.env.TMPDIR = temporary;
  const ground = isInNamespace() ? { disks: await mountDisks(home), relays: await openRelays(ports) } : undefined;
  const env = { LENSMITH_HOME: home, TMPDIR: temporary };
  const close = once(async (): Promise<string[]> => {
    await lensmith({ env }, ['down'], 300_000);
    const living = findByEnvironment({ LENSMITH_HOME: home }).map(({ command }) => `lives on: ${command}`);
    // The caches of Node and PyTorch, and what Python makes for a process that is killed, are not ours.
    const ours = (await readdir(temporary)).filter((name) => name.startsWith('lensmith'));
    const lying = ours.map((name) => `left in its temporary folder: ${name}`);
    // Elsewhere a stranger may have one of them by now.
    const taken = isInNamespace() ? await portsInUse(ports) : [];
    for (const relay of Object.values(ground?.relays ?? {})) relay.close();
    for (const folder of Object.values(ground?.disks ?? {})) await execa('umount', [folder], { reject: false });
    await rm(root, { recursive: true, force: true });
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    return [...living, ...lying, ...taken];
  });
  try {
    const state = await stackUp({ home, ports, table: disturbable(ground), deadlineMs: 300_000 });
    return {
      home,
      temporal: `127.0.0.1:${state.ports.temporal}`,
      env,
      links: Object.fromEntries(Object.entries(ground?.relays ?? {}).map(([name, { port }]) => [name, port])),
      disks: ground?.disks ?? {},
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

const tries = 3;

/**
 * A stack on free ports with a home and a folder of temporary files of its own.
 *
 * @throws LensmithError `port` where others took the ports again and again before it could
 */
export const openStack = async (): Promise<OpenStack> => {
  for (let count = 1; ; count += 1) {
    try {
      return await openOnce();
    } catch (error) {
      if (!(error instanceof LensmithError) || error.type !== 'port' || count >= tries) throw error;
    }
  }
};
