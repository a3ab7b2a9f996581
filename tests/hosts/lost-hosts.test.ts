import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoHosts } from './can-make-hosts.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { type FollowedRun, startRun } from './followed-run.ts';

/** It takes too long for every run of the tests: only where it is asked for. */
const asked = process.env.LENSMITH_HOSTS === 'all';
const cannot = asked ? await whyNoHosts() : 'LENSMITH_HOSTS is not "all"';
const hosts = ['a', 'b', 'c'] as const;
const limitMs = 600_000;
// RL goes on for longer than the way to a host is slow.
const [steps, saveEvery] = [160, 20];

let cluster: Cluster;
let run: FollowedRun;

describe.skipIf(cannot !== null)(`a run that loses its hosts${cannot ? ` (${cannot})` : ''}`, { retry: 0 }, () => {
  beforeAll(async () => {
    const opened = await openCluster({ hosts, silenceSeconds: 45, cpus: 2 });
    if ('cannot' in opened) throw new Error(opened.cannot);
    cluster = opened;
    run = await startRun(cluster, { run: 'tossed', steps, saveEvery, seed: 1 });
  }, limitMs);
  afterAll(async () => {
    run?.witness.close();
    await cluster?.close();
  }, limitMs);

  const reach = (step: number): Promise<true> =>
    cluster.until(`step ${step} of RL`, 2 * limitMs, async () =>
      (await run.steps()).includes(step) ? true : undefined,
    );

  it(
    'goes on from its checkpoint, under a newer lease, when a host of its Ray is gone and comes back',
    async () => {
      await reach(saveEvery + 2);
      const [head = ''] = run.hostsOf('trainer');
      const fence = run.fenceOf('trainer');
      await cluster.network.kill(head);
      await cluster.until('the reason of the wait', limitMs, () =>
        /^waiting for a lease: .*2 hosts/.test(run.noteOf('rl')) ? true : undefined,
      );
      expect((await cluster.lensmith(['leases'])).said).toContain('2 hosts');
      await cluster.startHost(head);
      await cluster.until('a newer lease', limitMs, () => (run.fenceOf('trainer') > fence ? true : undefined));
      await reach(saveEvery + 4);
    },
    limitMs,
  );

  it(
    'works on where the way to one of its hosts is slow',
    async () => {
      const [, slow = ''] = run.hostsOf('trainer');
      const fence = run.fenceOf('trainer');
      const before = (await run.steps()).length;
      await cluster.network.slow(slow, 300, 1000);
      await delay(60_000);
      expect(run.fenceOf('trainer') === fence || (await run.steps()).includes(steps)).toBe(true);
      expect((await run.steps()).length).toBeGreaterThan(before);
    },
    limitMs,
  );

  it(
    'evaluates elsewhere when the host of an evaluation is gone',
    async () => {
      await reach(steps);
      const host = await cluster.until('an evaluation after RL', limitMs, () => {
        expect(run.status()).toBe('RUNNING');
        return run.fenceOf('trainer') === 0 && run.livingOn(run.hostsOf('evaluation')[0] ?? '').length > 0
          ? run.hostsOf('evaluation')[0]
          : undefined;
      });
      const fence = run.fenceOf('evaluation');
      await cluster.network.kill(host);
      await cluster.until('the evaluation on another host', limitMs, () =>
        run.fenceOf('evaluation') > fence && run.hostsOf('evaluation')[0] !== host ? true : undefined,
      );
      await run.untilOver(limitMs);
      expect(run.status()).toBe('COMPLETED');
    },
    4 * limitMs,
  );

  it('has done at most one interval between checkpoints twice, and never had two programs of a stage at once', async () => {
    const done = await run.steps();
    expect([...new Set(done)].sort((a, b) => a - b)).toEqual(Array.from({ length: steps }, (_, index) => index + 1));
    expect(done.length - steps).toBeLessThanOrEqual(saveEvery);
    const fences = await run.fencesOf('rl');
    expect(fences.length).toBeGreaterThanOrEqual(2);
    expect((await run.attemptsOf('rl')).length).toBeLessThanOrEqual(fences.length);
    expect(run.witness.faults()).toEqual([]);
    await cluster.until('an empty pool', 60_000, () => (run.leases() === 0 ? true : undefined));
    expect(await cluster.close()).toEqual([]);
  }, 120_000);
});
