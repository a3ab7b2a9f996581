import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LensmithError } from '../domain/errors.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef } from '../domain/stage.ts';
import { addressOf, type Host } from './host.ts';

/** Where a node of Ray listens; the names are those of the options of `ray start`. */
export interface RayPorts {
  readonly gcs: number;
  readonly dashboard: number;
  readonly client: number;
  readonly nodeManager: number;
  readonly objectManager: number;
  readonly agent: number;
  readonly agentGrpc: number;
  readonly metrics: number;
  readonly runtimeEnv: number;
  /** First and last port of the workers. */
  readonly workers: readonly [number, number];
}

const named = 9;

/** Takes the ports of a node out of the block that is leased to it. */
export const rayPortsOf = ({ lease }: Pick<RunRef, 'lease'>): RayPorts => {
  const [first, count] = lease?.ports ?? [0, 0];
  if (count <= named)
    throw new LensmithError('config', `expected a lease of more than ${named} ports for a node of Ray, got ${count}`, {
      where: 'LENSMITH_PORTS',
    });
  return {
    gcs: first,
    dashboard: first + 1,
    client: first + 2,
    nodeManager: first + 3,
    objectManager: first + 4,
    agent: first + 5,
    agentGrpc: first + 6,
    metrics: first + 7,
    runtimeEnv: first + 8,
    workers: [first + named, first + count - 1],
  };
};

/** Folder of a node's sockets and logs: short, because a socket's path may have 107 bytes, and on a disk of the host. */
export const rayFolder = ({ name }: Pick<Host, 'name'>, { lease }: Pick<RunRef, 'lease'>): string => {
  const digest = createHash('sha256').update(`${lease?.id} ${lease?.fence} ${name}`).digest('hex');
  return join(tmpdir(), `lensmith-ray-${digest.slice(0, 12)}`);
};

/** Command line and environment of a node; without `gcs`, the head's address, it is the head. */
export const rayNodeCommand = (
  host: Host,
  run: RunRef,
  spec: Pick<RunSpec, 'device' | 'rl'>,
  { gcs, token }: { readonly gcs: string | null; readonly token: string },
): { command: string[]; env: Record<string, string> } => {
  const address = addressOf(host);
  const ports = rayPortsOf(run);
  const folder = rayFolder(host, run);
  const role =
    gcs === null
      ? [
          ...['--head', `--port=${ports.gcs}`, `--ray-client-server-port=${ports.client}`],
          ...['--include-dashboard=true', `--dashboard-host=${address}`, `--dashboard-port=${ports.dashboard}`],
        ]
      : [`--address=${gcs}`];
  return {
    command: [
      ...[join(host.python, '..', 'ray'), 'start', '--block', '--disable-usage-stats', ...role],
      ...[`--temp-dir=${folder}`, `--node-ip-address=${address}`, `--node-manager-port=${ports.nodeManager}`],
      ...[`--object-manager-port=${ports.objectManager}`, `--dashboard-agent-listen-port=${ports.agent}`],
      ...[`--dashboard-agent-grpc-port=${ports.agentGrpc}`, `--metrics-export-port=${ports.metrics}`],
      ...[`--runtime-env-agent-port=${ports.runtimeEnv}`],
      ...[`--min-worker-port=${ports.workers[0]}`, `--max-worker-port=${ports.workers[1]}`],
      ...[`--num-cpus=${Math.max(2, run.lease?.cpus ?? spec.rl.threads)}`, `--num-gpus=${run.lease?.gpus.length ?? 0}`],
      // What Ray takes by itself is a third of the memory, which a small model has no use for.
      ...(spec.device === 'cpu' ? ['--object-store-memory=80000000'] : []),
    ],
    env: { RAY_AUTH_MODE: 'token', RAY_AUTH_TOKEN: token, RAY_USAGE_STATS_ENABLED: '0', HOME: folder },
  };
};
