import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { waitFor } from '../../processes/wait-for.ts';
import { type Probe, refused } from './probe.ts';
import { runProbes } from './run-probes.ts';
import { openWorld, type World } from './world.ts';

const connect = (family: string, address: string): string => `
def connect():
    client = socket.socket(${family}, socket.SOCK_STREAM)
    client.settimeout(2)
    client.connect(${address})
    return client.recv(10)
tried(connect)`;

const outsideAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ family }) => family === 'IPv4').map(({ address }) => address),
  );

const open = (family: string, kind: string): string => `tried(lambda: socket.socket(${family}, ${kind}).getsockname())`;

const probes: Probe[] = [
  {
    name: 'TCP to the loopback',
    code: ({ tcpPort }) => connect('socket.AF_INET', `("127.0.0.1", ${tcpPort})`),
    prints: refused,
  },
  {
    name: 'TCP to the loopback of IPv6',
    code: ({ tcpPort }) => connect('socket.AF_INET6', `("::1", ${tcpPort})`),
    prints: refused,
  },
  {
    name: "TCP to every address of the host's",
    code: ({ tcpPort }) =>
      `for address in ${JSON.stringify([...outsideAddresses(), '0.0.0.0', '10.0.0.1', '169.254.169.254'])}:
    tried(lambda: socket.create_connection((address, ${tcpPort}), 1))`,
    prints: refused,
  },
  {
    name: 'UDP to the loopback',
    code: ({ udpPort }) => `
client = lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tried(lambda: client().sendto(b"hello", ("127.0.0.1", ${udpPort})))
tried(lambda: client().sendto(b"hello", ("255.255.255.255", ${udpPort})))`,
    prints: refused,
  },
  {
    name: 'DNS by the C library',
    code: 'for name in ("example.org", "localhost.localdomain"):\n    tried(lambda: socket.getaddrinfo(name, 80))',
    prints: refused,
  },
  {
    name: 'DNS by a datagram of its own',
    code: `
question = struct.pack(">6H", 7, 256, 1, 0, 0, 0) + b"\\7example\\3org\\0" + struct.pack(">2H", 1, 1)
for server in ("8.8.8.8", "127.0.0.53", "1.1.1.1"):
    tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(question, (server, 53)))`,
    prints: refused,
  },
  {
    name: 'an abstract Unix socket of the host',
    code: ({ abstractName }) => connect('socket.AF_UNIX', `b"\\0${abstractName}"`),
    prints: refused,
  },
  {
    name: 'a Unix socket with a name on the host',
    code: ({ socketPath }) => connect('socket.AF_UNIX', JSON.stringify(socketPath)),
    prints: refused,
  },
  {
    name: "the supervisor's own socket",
    code: ({ sandboxFolder }) => `
for path in ("/sandbox/meeting/sessions.sock", "${sandboxFolder}/meeting/sessions.sock"):
    tried(lambda: socket.socket(socket.AF_UNIX).connect(path))`,
    prints: refused,
  },
  {
    name: 'netlink, to change routes and devices',
    code: `
def routes():
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    link.bind((0, 0))
    # RTM_NEWLINK with IFF_UP for the first device, with an acknowledgement.
    link.send(struct.pack("=IHHII", 32, 16, 5, 1, 0) + struct.pack("=BBHiII", 0, 0, 0, 1, 1, 1))
    answer = struct.unpack_from("=IHHIIi", link.recv(4096))
    if answer[5] < 0:
        raise OSError(-answer[5], "netlink")
    return answer
tried(routes)`,
    prints: refused,
  },
  { name: 'a raw socket', code: open('socket.AF_INET', 'socket.SOCK_RAW, 1'), prints: refused },
  { name: 'a packet socket', code: open('socket.AF_PACKET', 'socket.SOCK_RAW'), prints: refused },
  {
    name: 'a socket of families that no namespace holds',
    code: `for family in (40, 38, 31, 29, 30, 21, 44, 16, 15, 9, 5, 4):
    tried(lambda: socket.socket(family, socket.SOCK_STREAM))
    tried(lambda: socket.socket(family, socket.SOCK_DGRAM))
    tried(lambda: socket.socket(family, socket.SOCK_SEQPACKET))`,
    prints: refused,
  },
  {
    name: 'bringing a network device up',
    code: `
import fcntl
client = lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tried(lambda: fcntl.ioctl(client(), 0x8914, struct.pack("16sh14x", b"lo", 1)))
tried(lambda: fcntl.ioctl(client(), 0x8916, struct.pack("16sHH4s8x", b"lo", 2, 0, b"\\x7f\\0\\0\\1")))`,
    prints: refused,
  },
  {
    name: 'a listener that the host connects to',
    session: { limits: { callSeconds: 10 } },
    code: ({ tcpPort }) => `
def wait():
    server = socket.create_server(("0.0.0.0", ${tcpPort + 1}))
    server.settimeout(2)
    return server.accept()
tried(wait)`,
    meanwhile: async ({ tcpPort }, ended) => {
      let outcome = '';
      while (!ended.aborted) {
        outcome = await new Promise<string>((resolve) => {
          const client = createConnection(tcpPort + 1, '127.0.0.1');
          client.once('connect', () => resolve('connected'));
          client.once('error', (error) => resolve(String(error)));
          client.once('close', () => client.destroy());
          client.once('connect', () => client.destroy());
        });
        if (outcome === 'connected') break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(outcome).not.toBe('connected');
    },
    prints: refused,
  },
];

runProbes(probes);

test('the traps are real: the host itself falls into each', async () => {
  const world: World = await openWorld();
  try {
    for (const address of [{ port: world.tcpPort }, { path: `\0${world.abstractName}` }, { path: world.socketPath }]) {
      createConnection(address).resume();
    }
    const seen = await waitFor('three visitors', () => (world.visitors.length === 3 ? world.visitors : undefined));
    expect(seen).toHaveLength(3);
  } finally {
    await world.close();
  }
});
