import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rlMetricsSchema } from '../../domain/progress.ts';
import { type Summary, summarySchema } from '../../domain/summary.ts';
import { findByEnvironment } from '../../processes/find-processes.ts';
import type { Cluster, Told } from './cluster.ts';
import { openWitness, type Witness } from './witness.ts';

/** The smallest sizes at which every stage still is one. */
const small = [
  ...['data.captions=300', 'data.validationSamples=12', 'data.testSamples=12', 'baseModel.steps=6', 'sft.steps=6'],
  ...['judge.engine=builtin', 'judge.audit=off', 'judge.requestSeconds=10', 'keepCheckpoints=null'],
];

/** A run on the hosts of a test, as it can be seen from outside. */
export interface FollowedRun {
  readonly witness: Witness;
  readonly status: () => string | null;
  readonly noteOf: (stage: string) => string;
  /** Hosts of the lease of a part; none where it is not leased now. */
  readonly hostsOf: (part: string) => string[];
  /** Fence of the lease of a part; 0 where it is not leased now. */
  readonly fenceOf: (part: string) => number;
  readonly leases: () => number;
  /** When the lease with a fence ended because its host was silent, Unix time in milliseconds; undefined before. */
  readonly lostAt: (fence: number) => number | undefined;
  /** Steps of RL as they were written, also those that were done twice. */
  readonly steps: () => Promise<number[]>;
  readonly attemptsOf: (stage: string) => Promise<string[]>;
  readonly fencesOf: (stage: string) => Promise<number[]>;
  readonly summary: () => Promise<Summary>;
  /** Programs under a lease that live on a host now. */
  readonly livingOn: (host: string) => string[];
  readonly untilOver: (limitMs: number) => Promise<void>;
}

/** Starts the smoke pipeline with RL over two hosts and the judge on a third. */
export const startRun = async (
  cluster: Cluster,
  { run, steps, saveEvery, seed }: { run: string; steps: number; saveEvery: number; seed: number },
): Promise<FollowedRun> => {
  const changes = [
    ...[`run=${run}`, `seed=${seed}`, 'host=control', 'placement={pool: {rayHosts: 2, labels: {role: work}}}'],
    ...[`rl.steps=${steps}`, `rl.saveEvery=${saveEvery}`, ...small],
  ].flatMap((change) => ['--set', change]);
  const witness = openWitness(cluster.home, run, cluster.network.hostOf);
  const started = await cluster.lensmith(['train', 'examples/smoke.yaml', ...changes]);
  if (started.code !== 0) throw new Error(`expected the run to start, got ${started.said}`);
  const told = cluster.follow(`train/${run}`);
  const dir = join(cluster.home, 'runs', run);
  /** Fences and the ids of their leases: what has ended is known by its id. */
  const ids = new Map<number, string>();
  const now = (): Told | undefined => {
    const last = told();
    for (const { fence, id } of last?.pool?.leases ?? []) ids.set(fence, id);
    return last;
  };
  const leaseOf = (part: string) =>
    now()?.pool?.leases.find(({ group, placements }) => group === run && placements[0]?.part === part);
  const followed: FollowedRun = {
    witness,
    status: () => now()?.status ?? null,
    noteOf: (stage) => now()?.stages?.find(({ name }) => name === stage)?.note ?? '',
    hostsOf: (part) => (leaseOf(part)?.placements ?? []).map(({ host }) => host),
    fenceOf: (part) => leaseOf(part)?.fence ?? 0,
    leases: () => now()?.pool?.leases.length ?? 0,
    lostAt: (fence) =>
      now()?.pool?.endings.find(({ id, ending }) => id === ids.get(fence) && ending === 'host_lost')?.at,
    steps: async () => {
      const text = await readFile(join(dir, 'stages', 'rl', 'metrics.jsonl'), 'utf8').catch(() => '');
      const lines = text.split('\n').filter((line) => line.endsWith('}'));
      return lines.map((line) => rlMetricsSchema.parse(JSON.parse(line)).step);
    },
    attemptsOf: async (stage) => {
      const names = await readdir(join(dir, 'stages', stage)).catch(() => []);
      return names.filter((name) => name.startsWith('attempt-')).sort();
    },
    fencesOf: async (stage) => {
      const names = await readdir(join(dir, 'stages', stage, 'fences')).catch(() => []);
      return names.map(Number).sort((a, b) => a - b);
    },
    summary: async () => summarySchema.parse(JSON.parse(await readFile(join(dir, 'report', 'summary.json'), 'utf8'))),
    livingOn: (host) =>
      findByEnvironment({ LENSMITH_HOME: cluster.home, LENSMITH_LEASE_OWNER: `${host} ${cluster.home}` }).map(
        ({ command }) => command,
      ),
    untilOver: async (limitMs) => {
      await cluster.until('the end of the run', limitMs, () => {
        const status = followed.status();
        return status !== null && status !== 'RUNNING' ? true : undefined;
      });
    },
  };
  return followed;
};
