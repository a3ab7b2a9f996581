import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSandbox, type Sandbox, type Session } from '../../../sandbox/open-sandbox.ts';
import { python } from '../python.ts';
import { descendantsOf } from './host-state.ts';

/** Where the neighbour listens, by TCP and UDP. */
export const neighbourPort = 47_113;

/** A sandbox, and things of its host that no code in it may reach. */
export interface World {
  readonly sandbox: Sandbox;
  /** A folder of the host with a file that anyone may write. */
  readonly folder: string;
  readonly file: string;
  /** The folder that the sandbox keeps on the host. */
  readonly sandboxFolder: string;
  /** Texts that code must not learn: of the file, the environment, the canary and the neighbour. */
  readonly secrets: Readonly<Record<'file' | 'environment' | 'neighbour', string>>;
  readonly tcpPort: number;
  readonly udpPort: number;
  /** Without the leading NUL. */
  readonly abstractName: string;
  readonly socketPath: string;
  /** Who came to one of the listeners. */
  readonly visitors: string[];
  /** A process of the host, of the same user. */
  readonly canaryPid: number;
  readonly forkServerPid: number;
  /** Another session, which holds `secrets.neighbour` in a variable and in a file, and listens. */
  readonly neighbour: Session;
  readonly close: () => Promise<void>;
}

const listening = async (address: number | string, visitors: string[]): Promise<Server> => {
  const server = createServer((socket) => {
    visitors.push(`connection to ${address}`);
    socket.end('reached');
  });
  await once(typeof address === 'number' ? server.listen(address) : server.listen(address), 'listening');
  return server;
};

const forkServerOf = async (folder: string): Promise<number> => {
  const own = (await descendantsOf(process.pid)).filter(({ command }) => command.includes(folder));
  const pids = new Set(own.map(({ pid }) => pid));
  const [first] = own.filter(({ parent }) => !pids.has(parent));
  if (!first) throw new Error('no fork server runs');
  return first.pid;
};

/** What a session may hold that another must not see: a variable, a file, and listeners of each kind. */
const neighbourCode = (secret: string): string => `import socket
secret = "${secret}"
open("secret.txt", "w").write(secret)
listeners = []
for family, kind, address in (
    (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", ${neighbourPort})),
    (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", ${neighbourPort})),
    (socket.AF_UNIX, socket.SOCK_STREAM, b"\\0" + secret.encode()),
    (socket.AF_UNIX, socket.SOCK_DGRAM, b"\\0" + secret.encode() + b".datagrams"),
):
    try:
        listener = socket.socket(family, kind)
        listener.bind(address)
        listener.setblocking(False)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        listeners.append(listener)
    except OSError:
        pass

def visited():
    for listener in listeners:
        try:
            listener.accept() if listener.type == socket.SOCK_STREAM else listener.recv(1)
        except OSError:
            continue
        return True
    return False`;

/** Sets the traps, and opens a sandbox among them. */
export const openWorld = async (): Promise<World> => {
  const root = await mkdtemp(join(tmpdir(), 'lensmith-escape-'));
  const folder = join(root, 'host');
  const file = join(folder, 'secret.txt');
  const mark = randomBytes(6).toString('hex');
  const secrets = { file: `file-${mark}`, environment: `environment-${mark}`, neighbour: `neighbour-${mark}` };
  await mkdir(folder);
  await chmod(root, 0o755);
  await writeFile(file, secrets.file);
  await chmod(file, 0o666);

  const visitors: string[] = [];
  const abstractName = `lensmith-${mark}`;
  const socketPath = join(folder, 'listener.sock');
  const tcp = await listening(0, visitors);
  const abstract = await listening(`\0${abstractName}`, visitors);
  const named = await listening(socketPath, visitors);
  const udp = createSocket('udp4', () => visitors.push('datagram'));
  await once(udp.bind(0), 'listening');
  // It ends with this process, whose pipe it reads.
  const canary = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'], env: { CANARY: secrets.environment } });
  await once(canary, 'spawn');

  const before = { TMPDIR: process.env.TMPDIR, LENSMITH_TEST_SECRET: process.env.LENSMITH_TEST_SECRET };
  process.env.TMPDIR = root;
  process.env.LENSMITH_TEST_SECRET = secrets.environment;
  const sandbox = await openSandbox({ python });
  const neighbour = await sandbox.createSession({ idleSeconds: 3600 });
  await neighbour.execute({ code: neighbourCode(secrets.neighbour) });
  const sandboxFolder = (await readdir(root)).find((name) => name.startsWith('lensmith-sandbox-'));
  if (sandboxFolder === undefined) throw new Error('the sandbox has no folder');

  return {
    sandbox,
    folder,
    file,
    sandboxFolder: join(root, sandboxFolder),
    secrets,
    tcpPort: (tcp.address() as AddressInfo).port,
    udpPort: udp.address().port,
    abstractName,
    socketPath,
    visitors,
    canaryPid: canary.pid ?? 0,
    forkServerPid: await forkServerOf(root),
    neighbour,
    close: async () => {
      await sandbox.close();
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      canary.stdin.end();
      udp.close();
      for (const server of [tcp, abstract, named]) server.close();
      await rm(root, { recursive: true, force: true });
    },
  };
};
