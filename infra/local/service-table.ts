import { join } from 'node:path';
import type { Service } from './service.ts';
import { checkout, rayDir, stackDir } from './stack-paths.ts';
import type { StackState } from './stack-state.ts';

const searchAttributes = ['LensmithRun', 'LensmithStage', 'LensmithVerdict'];
const loopback = '127.0.0.1';

/** A busy machine may leave one or two looks without an answer; a minute without any is a hang. */
const everyMs = 10_000;
const misses = 6;

const temporal = ({ home, ports, environment }: StackState): Service => {
  const program = join(checkout, '.venv', 'bin', 'temporal');
  const address = `${loopback}:${ports.temporal}`;
  return {
    name: 'temporal',
    role: 'server',
    command: [
      ...[program, 'server', 'start-dev', '--ip', loopback, '--port', String(ports.temporal)],
      ...['--ui-port', String(ports.temporalUi), '--db-filename', join(stackDir(home), 'temporal.db')],
      ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
      ...['--log-level', 'warn'],
    ],
    cwd: checkout,
    env: environment,
    ports: [ports.temporal, ports.temporalUi],
    address: `${address}, web page http://${loopback}:${ports.temporalUi}`,
    // Lists what the namespace knows, so it is ready only once the namespace and its attributes are.
    ready: {
      kind: 'command',
      command: [program, 'operator', 'search-attribute', 'list', '--namespace', 'default', '--address', address],
    },
    // By the web page's server, which asks the server itself: a command for each look would cost a program's start.
    alive: {
      probes: [{ kind: 'http', url: `http://${loopback}:${ports.temporalUi}/api/v1/namespaces/default` }],
      everyMs,
      misses,
    },
    after: [],
  };
};

const ray = ({ home, ports, environment, rayToken }: StackState): Service => ({
  name: 'ray',
  role: 'server',
  command: [
    ...[join(checkout, '.venv', 'bin', 'ray'), 'start', '--head', '--block', '--disable-usage-stats'],
    ...[`--node-ip-address=${loopback}`, `--port=${ports.ray}`, `--ray-client-server-port=${ports.rayClient}`],
    ...['--include-dashboard=true', `--dashboard-host=${loopback}`, `--dashboard-port=${ports.rayDashboard}`],
    ...[`--dashboard-agent-listen-port=${ports.rayAgent}`, `--temp-dir=${rayDir(home)}`],
    ...['--num-cpus=2', '--object-store-memory=80000000'],
  ],
  cwd: checkout,
  env: {
    ...environment,
    RAY_AUTH_MODE: 'token',
    RAY_AUTH_TOKEN: rayToken,
    HOME: rayDir(home),
    RAY_USAGE_STATS_ENABLED: '0',
  },
  ports: [ports.ray, ports.rayDashboard, ports.rayClient, ports.rayAgent],
  address: `http://${loopback}:${ports.rayDashboard}`,
  ready: { kind: 'http', url: `http://${loopback}:${ports.rayDashboard}/api/version`, token: rayToken },
  // The head's store and its node's manager: either may hang while the dashboard answers.
  alive: {
    probes: [
      { kind: 'http', url: `http://${loopback}:${ports.rayDashboard}/api/gcs_healthz`, token: rayToken },
      { kind: 'http', url: `http://${loopback}:${ports.rayAgent}/api/local_raylet_healthz`, token: rayToken },
    ],
    everyMs,
    misses,
  },
  after: [],
});

const worker = (name: string, file: string, { environment }: StackState): Service => ({
  name,
  role: 'worker',
  command: [process.execPath, join(checkout, 'workers', file)],
  cwd: checkout,
  env: environment,
  ports: [],
  address: '',
  ready: { kind: 'file' },
  alive: { probes: [{ kind: 'pulse', withinSeconds: 30 }], everyMs, misses: 3 },
  after: ['temporal'],
});

const toolServer = ({ ports, environment }: StackState): Service => ({
  name: 'tool-server',
  role: 'server',
  command: [process.execPath, join(checkout, 'cli', 'main.ts'), 'tool-server', '--port', String(ports.toolServer)],
  cwd: checkout,
  env: environment,
  ports: [ports.toolServer],
  address: `http://${loopback}:${ports.toolServer}`,
  ready: { kind: 'http', url: `http://${loopback}:${ports.toolServer}/healthz` },
  alive: { probes: [{ kind: 'http', url: `http://${loopback}:${ports.toolServer}/healthz` }], everyMs, misses },
  after: [],
});

/** What runs on one machine, in the order in which it starts. */
export const serviceTable = (state: StackState): Service[] => [
  temporal(state),
  ray(state),
  toolServer(state),
  worker('control-worker', 'control.ts', state),
  worker('host-worker', 'host.ts', state),
];
