import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoHosts } from './can-make-hosts.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { type FollowedRun, startRun } from './followed-run.ts';

const cannot = await whyNoHosts();
const hosts = ['a', 'b', 'c'] as const;
const limitMs = 420_000;

let cluster: Cluster;
let run: FollowedRun;

// Each test goes on from the one before: a second try would meet what the first has left.
describe.skipIf(cannot !== null)(
  `a run over three hosts${cannot ? ` (no namespaces: ${cannot})` : ''}`,
  { retry: 0 },
  () => {
    beforeAll(async () => {
      const opened = await openCluster({ hosts, silenceSeconds: 45, cpus: 2 });
      if ('cannot' in opened) throw new Error(opened.cannot);
      cluster = opened;
    }, limitMs);
    afterAll(async () => {
      run?.witness.close();
      await cluster?.close();
    }, limitMs);

    it(
      'has the judge on one host and a Ray over the two others',
      async () => {
        run = await startRun(cluster, { run: 'spread', steps: 24, saveEvery: 12, seed: 0 });
        await cluster.until('steps of RL', limitMs, async () => ((await run.steps()).length >= 1 ? true : undefined));
        await cluster.until('both leases', 60_000, () =>
          run.fenceOf('judge') > 0 && run.fenceOf('trainer') > 0 ? true : undefined,
        );
        expect([...run.hostsOf('judge'), ...run.hostsOf('trainer')].sort()).toEqual([...hosts]);
        for (const host of run.hostsOf('trainer'))
          expect(run.livingOn(host).filter((command) => /raylet\/raylet /.test(command))).toHaveLength(1);
        expect(run.noteOf('ray-cluster')).toMatch(/ 2 nodes$/);
        const { said } = await cluster.lensmith(['leases']);
        for (const host of hosts) expect(said).toMatch(new RegExp(`(judge|trainer) on ${host}: `));
      },
      limitMs,
    );

    it(
      'a host that is cut off ends what it runs before its lease is lost, and RL is not begun anew for its judge',
      async () => {
        const [host = ''] = run.hostsOf('judge');
        const fence = run.fenceOf('judge');
        expect(run.livingOn(host)).not.toEqual([]);
        await cluster.network.link(host, 'down');
        await cluster.until('the end of the programs there', 120_000, () =>
          run.livingOn(host).length === 0 ? true : undefined,
        );
        const lostAt = await cluster.until('the loss of the lease', 120_000, () => run.lostAt(fence));
        const judges = run.witness.programs().filter(({ id }) => id === 'spread/serve-judge/1');
        expect(judges.map((judge) => judge.host)).toEqual([host]);
        // Nobody could tell it to: it is on the other side of a link that is down.
        for (const judge of judges) expect(judge.lastSeen).toBeLessThan(lostAt);
        await cluster.network.link(host, 'up');
        await cluster.until('a judge under a newer lease', limitMs, () =>
          run.fenceOf('judge') > fence ? true : undefined,
        );
        expect(await run.attemptsOf('rl')).toEqual(['attempt-1']);
      },
      limitMs,
    );

    it(
      'is completed, with one program of a stage at a time, and leaves nothing',
      async () => {
        await run.untilOver(limitMs);
        expect(run.status()).toBe('COMPLETED');
        expect(await run.steps()).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
        expect((await run.summary()).stages.filter(({ state }) => state === 'failed')).toEqual([]);
        expect(run.witness.faults()).toEqual([]);
        expect((await run.fencesOf('serve-judge')).length).toBeGreaterThanOrEqual(2);
        await cluster.until('an empty pool', 60_000, () => (run.leases() === 0 ? true : undefined));
        for (const host of hosts) expect(run.livingOn(host)).toEqual([]);
        expect(await cluster.close()).toEqual([]);
      },
      limitMs,
    );
  },
);
