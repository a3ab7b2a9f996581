import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyPool, type Pool, poolLimits } from '../../domain/gpu-pool.ts';
import { drainHost, reportHost } from '../../domain/gpu-pool-hosts.ts';
import { releaseLease, requestLease } from '../../domain/gpu-pool-leases.ts';
import { look } from '../../domain/gpu-pool-look.ts';
import { schedule } from '../../domain/gpu-pool-schedule.ts';
import { report, request } from '../support/pool.ts';
import { poolFaults } from '../support/pool-check.ts';

const start = 1_000_000;
const hostNames = ['a', 'b', 'c', 'd'];

const part = fc.record({
  name: fc.constantFrom('trainer', 'judge', 'ray'),
  hosts: fc.integer({ min: 1, max: 3 }),
  gpus: fc.integer({ min: 0, max: 5 }),
  gpuMemoryMiB: fc.constantFrom(0, 0, 60_000),
  cpus: fc.integer({ min: 0, max: 5 }),
  ports: fc.integer({ min: 0, max: 6 }),
  apart: fc.subarray(['trainer', 'judge']),
});

const asked = fc.record({
  parts: fc.uniqueArray(part, { minLength: 1, maxLength: 3, selector: ({ name }) => name }),
  group: fc.constantFrom('red', 'green', 'blue'),
  priority: fc.integer({ min: 1, max: 5 }),
  waitSeconds: fc.option(fc.integer({ min: 1, max: 2000 })),
});

const host = fc.record({
  gpuCount: fc.integer({ min: 0, max: 6 }),
  cpus: fc.integer({ min: 1, max: 8 }),
  small: fc.boolean(),
  busy: fc.subarray([0, 1, 2]),
  ports: fc.constantFrom<[number, number] | null>(null, [20_000, 20_007], [20_000, 20_020]),
});

type Host = typeof host extends fc.Arbitrary<infer T> ? T : never;

const reportOf = (name: string, { gpuCount, cpus, small, busy, ports }: Host) => {
  const { gpus } = report(name, { gpuCount });
  return report(name, {
    cpus,
    ports,
    gpus: gpus.map((gpu) => ({
      ...gpu,
      busy: busy.includes(gpu.index),
      memoryMiB: small && gpu.index % 2 === 1 ? 40_000 : gpu.memoryMiB,
    })),
  });
};

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('ask'), asked }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('release'), pick: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('report'), name: fc.constantFrom(...hostNames), alive: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.integer({ min: 1, max: 400_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('drain'), name: fc.constantFrom(...hostNames), on: fc.boolean() }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const unexplained = (pool: Pool) => ({ ...pool, queue: pool.queue.map(({ reason: _, ...rest }) => rest) });
const idsIn = ({ leases, queue }: Pool): string[] => [...leases, ...queue].map(({ id }) => id);

describe('whatever happens', () => {
  it('nothing is leased twice, fences rise, and every wait has its reason', () => {
    fc.assert(
      fc.property(fc.array(host, { minLength: 4, maxLength: 4 }), fc.array(step, { maxLength: 60 }), (hosts, steps) => {
        const reports = hostNames.map((name, index) => reportOf(name, hosts[index] ?? hosts[0] ?? ({} as Host)));
        let now = start;
        let fence = 0;
        let pool = reports.reduce((current, one) => reportHost(current, one, now).pool, emptyPool(now));
        const apply = (one: Step, index: number): Pool => {
          if (one.kind === 'ask') return requestLease(pool, request(`r${index}`, one.asked.parts, one.asked), now).pool;
          if (one.kind === 'drain') return drainHost(pool, one.name, one.on);
          if (one.kind === 'release') return releaseLease(pool, idsIn(pool)[one.pick] ?? 'none', null, now).pool;
          if (one.kind === 'wait') return pool;
          const facts = reports[hostNames.indexOf(one.name)] ?? report(one.name);
          return reportHost(pool, { ...facts, alive: one.alive ? idsIn(pool) : [] }, now).pool;
        };
        for (const [index, one] of steps.entries()) {
          now += one.kind === 'wait' ? one.ms : 1;
          pool = look(pool, now).pool;
          pool = apply(one, index);
          const before = new Set(pool.leases.map(({ id }) => id));
          const served = schedule(pool, now);
          pool = served.pool;
          expect(poolFaults(pool)).toEqual([]);
          const granted = pool.leases.filter(({ id }) => !before.has(id));
          for (const lease of granted) {
            expect(lease.fence).toBeGreaterThan(fence);
            fence = lease.fence;
            expect(lease.placements.every(({ host: name }) => !pool.hosts.find((h) => h.name === name)?.draining)).toBe(
              true,
            );
          }
          expect(served.notices.map(({ answer }) => answer.id)).toEqual(granted.map(({ id }) => id));
          expect(new Set(idsIn(pool)).size).toBe(idsIn(pool).length);
          expect(pool.queue.every(({ reason }) => reason !== '' && reason !== 'not looked at yet')).toBe(true);
          expect(pool.queue.map(({ order }) => order)).toEqual(
            pool.queue.map(({ order }) => order).sort((a, b) => a - b),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it('a pass over a pool in which nothing has changed changes nothing', () => {
    fc.assert(
      fc.property(
        fc.array(host, { minLength: 2, maxLength: 4 }),
        fc.array(asked, { maxLength: 12 }),
        (hosts, wishes) => {
          const empty = hosts.reduce(
            (pool, one, index) => reportHost(pool, reportOf(hostNames[index] ?? 'x', one), start).pool,
            emptyPool(start),
          );
          const full = wishes.reduce(
            (pool, wish, index) => requestLease(pool, request(`r${index}`, wish.parts, wish), start).pool,
            empty,
          );
          const once = schedule(full, start).pool;
          expect(unexplained(schedule(once, start).pool)).toEqual(unexplained(once));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('those behind the first in the queue do not delay it where all hosts are held for it', () => {
    const alone = asked.map((wish) => ({ ...wish, waitSeconds: null, priority: 1 }));
    const roomy = host.map((one) => ({ ...one, gpuCount: 6, cpus: 8, busy: [] }));
    const mostly = fc.integer({ min: 0, max: 3 }).map((number) => number > 0);
    let grantedLater = 0;
    fc.assert(
      fc.property(
        fc.array(roomy, { minLength: 2, maxLength: 4 }),
        fc.array(asked, { minLength: 4, maxLength: 10 }),
        alone,
        fc.array(asked, { minLength: 1, maxLength: 8 }),
        fc.array(mostly, { minLength: 10, maxLength: 10 }),
        (hosts, first, wish, behind, released) => {
          const heard = (pool: Pool, now: number): Pool =>
            hosts.reduce(
              (current, one, index) => reportHost(current, reportOf(hostNames[index] ?? 'x', one), now).pool,
              pool,
            );
          const askAll = (pool: Pool, wishes: typeof first, prefix: string, now: number): Pool =>
            wishes.reduce((current, one, index) => {
              const { pool: next } = requestLease(
                current,
                request(`${prefix}${index}`, one.parts, { ...one, waitSeconds: null }),
                now,
              );
              return next;
            }, pool);
          const running = {
            ...schedule(askAll(heard(emptyPool(start), start), first, 'first', start), start).pool,
            queue: [],
          };
          const waiting = schedule(askAll(running, [wish], 'head', start), start).pool;
          fc.pre(waiting.queue.length === 1);
          const later = start + 12 * poolLimits.widenMs;
          const again = heard(waiting, later);
          const crowded = schedule(askAll(again, behind, 'behind', later), later).pool;
          const ends = running.leases.filter((_, index) => released[index]).map(({ id }) => id);
          const endAll = (pool: Pool): Pool =>
            schedule(
              ends.reduce((current, id) => releaseLease(current, id, null, later).pool, pool),
              later,
            ).pool;
          const granted = (pool: Pool): boolean => pool.leases.some(({ id }) => id === 'head0');
          const without = granted(endAll(again));
          if (without) grantedLater += 1;
          expect(granted(endAll(crowded))).toBe(without);
        },
      ),
      { numRuns: 400 },
    );
    expect(grantedLater).toBeGreaterThan(50);
  });
});
