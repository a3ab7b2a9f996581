import { describe, expect, it } from 'vitest';
import { emptyPool, type Pool, poolLimits } from '../../domain/gpu-pool.ts';
import { checkReport, drainHost, ordersFor, removeHost, reportHost } from '../../domain/gpu-pool-hosts.ts';
import { answerFor, endLease, releaseLease, requestLease } from '../../domain/gpu-pool-leases.ts';
import { look, nextLook } from '../../domain/gpu-pool-look.ts';
import { schedule } from '../../domain/gpu-pool-schedule.ts';
import type { Lease, LeaseRequest } from '../../domain/lease.ts';
import { type HostReport, hostReportSchema } from '../../domain/lease-host.ts';
import { report, request } from '../support/pool.ts';

const start = 1_000_000;

const poolOf = (...reports: HostReport[]): Pool =>
  reports.reduce((pool, one) => reportHost(pool, one, start).pool, emptyPool(start));

/** Requests one after the other, a second apart, each followed by a pass. */
const ask = (pool: Pool, requests: readonly LeaseRequest[], from = start): Pool =>
  requests.reduce((current, one, index) => {
    const now = from + 1000 * index;
    return schedule(requestLease(current, one, now).pool, now).pool;
  }, pool);

const leaseOf = (pool: Pool, id: string): Lease | undefined => pool.leases.find((lease) => lease.id === id);
const idsOf = (pool: Pool): string[] => pool.leases.map(({ id }) => id);
const reasonOf = (pool: Pool, id: string): string => pool.queue.find((one) => one.id === id)?.reason ?? '';
const giveBack = (pool: Pool, id: string, now: number): Pool =>
  schedule(releaseLease(pool, id, null, now).pool, now).pool;

describe('a lease', () => {
  it('holds GPUs, slots and a block of ports of one host', () => {
    const pool = ask(poolOf(report('a')), [
      request('first', [{ name: 'trainer', gpus: 3, cpus: 8, ports: 10 }]),
      request('second', [{ name: 'trainer', gpus: 2, ports: 5 }]),
    ]);
    expect(leaseOf(pool, 'first')?.placements).toEqual([
      { part: 'trainer', host: 'a', gpus: [0, 1, 2], cpus: 8, memoryMiB: 0, ports: [20_000, 10], apart: [] },
    ]);
    expect(leaseOf(pool, 'second')?.placements[0]).toMatchObject({ gpus: [3, 4], ports: [20_010, 5] });
  });

  it('has a greater fence than every lease before it, also those of a pool that was made anew', () => {
    const pool = ask(poolOf(report('a')), [request('first', [{ name: 'x' }]), request('second', [{ name: 'x' }])]);
    const [first, second] = [leaseOf(pool, 'first')?.fence ?? 0, leaseOf(pool, 'second')?.fence ?? 0];
    expect(second).toBeGreaterThan(first);
    expect(emptyPool(start + 60_000).nextFence).toBeGreaterThan(second);
  });

  it('works on hosts without GPUs', () => {
    const pool = ask(poolOf(report('cpu', { gpuCount: 0, cpus: 2 })), [
      request('one', [{ name: 'trainer', gpus: 0, cpus: 2 }]),
      request('two', [{ name: 'trainer', gpus: 0, cpus: 1 }]),
    ]);
    expect(leaseOf(pool, 'one')?.placements[0]).toMatchObject({ host: 'cpu', gpus: [], cpus: 2 });
    expect(reasonOf(pool, 'two')).toBe(
      'trainer needs 1 host with 1 processor slot; 0 of 1 host have the room (1 with too few free processor slots)',
    );
  });

  it('is granted whole or not at all', () => {
    const gang = request('gang', [{ name: 'trainer', hosts: 2, gpus: 8 }]);
    const pool = ask(poolOf(report('a'), report('b')), [request('small', [{ name: 'x', gpus: 1 }]), gang]);
    expect(leaseOf(pool, 'gang')).toBeUndefined();
    const after = giveBack(pool, 'small', start + 5000);
    expect(leaseOf(after, 'gang')?.placements.map(({ host }) => host)).toEqual(['a', 'b']);
  });

  it('keeps parts on different hosts that must be apart, also those of another lease of the group', () => {
    const hosts = [report('a'), report('b')];
    const parts = [
      { name: 'trainer', gpus: 4 },
      { name: 'judge', gpus: 1, apart: ['trainer'] },
    ];
    const both = ask(poolOf(...hosts), [request('both', parts)]);
    expect(new Set(leaseOf(both, 'both')?.placements.map(({ host }) => host)).size).toBe(2);

    const later = ask(poolOf(...hosts), [
      request('trainer', parts.slice(0, 1), { group: 'run' }),
      request('judge', parts.slice(1), { group: 'run' }),
      request('stranger', parts.slice(1), { group: 'other' }),
    ]);
    expect(leaseOf(later, 'trainer')?.placements[0]?.host).toBe('a');
    expect(leaseOf(later, 'judge')?.placements[0]?.host).toBe('b');
    expect(leaseOf(later, 'stranger')?.placements[0]?.host).toBe('a');
  });

  it('finds the order of parts in which they fit', () => {
    const pool = ask(poolOf(report('plain'), report('special', { gpuCount: 4, labels: { disk: 'nvme' } })), [
      request('both', [
        { name: 'anywhere', gpus: 4, apart: ['picky'] },
        { name: 'picky', gpus: 4, labels: { disk: 'nvme' } },
      ]),
    ]);
    expect(leaseOf(pool, 'both')?.placements).toHaveLength(2);
  });

  it('goes only to hosts with the labels, the GPU memory and the disk that it asks for', () => {
    const hosts = [
      report('a', { freeDiskMiB: 10 }),
      report('b', { labels: { zone: 'south' } }),
      report('c', { labels: { zone: 'north' } }),
    ];
    const pool = ask(poolOf(...hosts), [
      request('zone', [{ name: 'x', gpus: 1, labels: { zone: 'north' } }]),
      request('disk', [{ name: 'x', gpus: 1, diskMiB: 100, labels: { zone: 'south' } }]),
      request('pinned', [{ name: 'x', gpus: 1, host: 'a' }]),
      request('huge', [{ name: 'x', gpus: 1, gpuMemoryMiB: 140_000 }]),
    ]);
    const hostOf = (id: string) => leaseOf(pool, id)?.placements[0]?.host;
    expect([hostOf('zone'), hostOf('disk'), hostOf('pinned')]).toEqual(['c', 'b', 'a']);
    expect(reasonOf(pool, 'huge')).toContain('no host that is here could serve it, even with nothing leased');
  });

  it('does not get a GPU that something without a lease uses', () => {
    const gpus = report('a', { gpuCount: 2 }).gpus.map((gpu) => ({ ...gpu, busy: gpu.index === 0 }));
    const pool = ask(poolOf(report('a', { gpus })), [request('x', [{ name: 'x', gpus: 1 }])]);
    expect(leaseOf(pool, 'x')?.placements[0]?.gpus).toEqual([1]);
    const faulty = ask(poolOf(report('a', { gpuFault: 'nvidia-smi did not answer' })), [
      request('x', [{ name: 'x', gpus: 1 }]),
    ]);
    expect(leaseOf(faulty, 'x')).toBeUndefined();
  });
});

describe('a full pool', () => {
  it('fits into the 2 MiB that Temporal takes as the input of a run, and says why it grants no more', () => {
    const names = Array.from(
      { length: poolLimits.maxHosts },
      (_, index) => `gpu-host-${String(index).padStart(4, '0')}`,
    );
    const hosts = poolOf(...names.map((name) => report(name, { labels: { zone: 'south-1' } })));
    const wishes = Array.from({ length: poolLimits.maxPlacements + poolLimits.maxQueue + 10 }, (_, index) =>
      request(`train/digits-20260102-030405/stage-${index}`, [{ name: 'trainer', gpus: 1, ports: 16 }], {
        group: 'digits',
      }),
    );
    const batch = (pool: Pool, from: number, to: number): Pool =>
      schedule(
        wishes.slice(from, to).reduce((current, one) => requestLease(current, one, start).pool, pool),
        start,
      ).pool;
    let pool = hosts;
    for (let from = 0; from < wishes.length; from += 600) pool = batch(pool, from, from + 600);
    expect(pool.leases).toHaveLength(poolLimits.maxPlacements);
    expect(pool.queue).toHaveLength(poolLimits.maxQueue);
    expect(pool.queue[0]?.reason).toContain(`holds its ${poolLimits.maxPlacements} placements`);
    expect(JSON.stringify(pool).length).toBeLessThan(2 * 1024 * 1024);
  });
});

describe('the same id asked again', () => {
  const one = request('one', [{ name: 'x', gpus: 8 }]);
  const pool = ask(poolOf(report('a')), [one, request('two', [{ name: 'x', gpus: 8 }])]);

  it('makes no second lease and no second place in the queue', () => {
    const again = schedule(requestLease(pool, one, start + 9000).pool, start + 9000).pool;
    expect(idsOf(again)).toEqual(['one']);
    expect(requestLease(pool, one, start + 9000).notices).toMatchObject([{ answer: { state: 'granted' } }]);
    const two = requestLease(again, request('two', [{ name: 'x', gpus: 8 }]), start + 9000);
    expect(two.pool.queue).toHaveLength(1);
    expect(two.notices).toMatchObject([{ holder: 'holder/two', answer: { state: 'waiting', place: 1 } }]);
  });

  it('is told that the lease has ended, and refused to another holder', () => {
    const ended = giveBack(pool, 'one', start + 9000);
    expect(requestLease(ended, one, start + 9500).notices).toMatchObject([
      { answer: { state: 'ended', ending: 'released' } },
    ]);
    expect(requestLease(pool, { ...one, holder: 'thief' }, start).notices).toMatchObject([
      { holder: 'thief', answer: { state: 'ended', ending: 'refused' } },
    ]);
  });

  it('is not given back with the fence of another time', () => {
    const fence = leaseOf(pool, 'one')?.fence ?? 0;
    expect(releaseLease(pool, 'one', fence - 1, start).pool.leases[0]).toBeDefined();
    expect(releaseLease(pool, 'one', fence, start).pool.leases[0]).toBeUndefined();
  });
});

describe('the queue', () => {
  const whole = (id: string, changes = {}) => request(id, [{ name: 'x', gpus: 8 }], changes);

  it('serves by priority, and who has waited long enough overtakes a better one', () => {
    const busy = ask(poolOf(report('a')), [whole('busy')]);
    const pool = ask(busy, [whole('low', { priority: 4 }), whole('high', { priority: 2 })], start + 1000);
    expect(pool.queue.map(({ id }) => id)).toEqual(['high', 'low']);
    const later = ask(pool, [whole('late-high', { priority: 2 })], start + 2 * poolLimits.priorityMs + 10_000);
    expect(later.queue.map(({ id }) => id)).toEqual(['high', 'low', 'late-high']);
  });

  it('lets one group not put all others behind it', () => {
    const busy = ask(poolOf(report('a')), [whole('busy')]);
    const many = ['m1', 'm2', 'm3'].map((id) => whole(id, { group: 'many' }));
    const pool = ask(busy, [...many, whole('single')], start + 1000);
    expect(pool.queue.map(({ id }) => id)).toEqual(['m1', 'single', 'm2', 'm3']);
  });

  it('holds room for the first, and says so to those behind it', () => {
    const running = ask(poolOf(report('a', { gpuCount: 4 })), [request('running', [{ name: 'x', gpus: 2 }])]);
    const pool = ask(
      running,
      [request('gang', [{ name: 'x', gpus: 4 }]), request('small', [{ name: 'x', gpus: 1 }])],
      start + 1000,
    );
    expect(leaseOf(pool, 'small')).toBeUndefined();
    expect(reasonOf(pool, 'small')).toBe('the room that there is is held for those who wait longer: gang');
    expect(leaseOf(giveBack(pool, 'running', start + 9000), 'gang')).toBeDefined();
  });

  it('fills what the first cannot use or would leave over', () => {
    const hosts = [report('big'), report('small', { gpuCount: 2 })];
    const running = ask(poolOf(...hosts), [request('running', [{ name: 'x', gpus: 3, host: 'big' }])]);
    const pool = ask(
      running,
      [
        request('gang', [{ name: 'x', gpus: 8 }]),
        request('elsewhere', [{ name: 'x', gpus: 2 }]),
        request('slots', [{ name: 'x', gpus: 0, cpus: 4, host: 'big' }]),
      ],
      start + 1000,
    );
    expect(leaseOf(pool, 'elsewhere')?.placements[0]?.host).toBe('small');
    expect(leaseOf(pool, 'slots')?.placements[0]?.host).toBe('big');
    expect(leaseOf(pool, 'gang')).toBeUndefined();
  });

  it('is not held up by what no host could ever serve', () => {
    const pool = ask(poolOf(report('a')), [
      request('impossible', [{ name: 'x', gpus: 16 }]),
      request('fine', [{ name: 'x', gpus: 8 }]),
    ]);
    expect(leaseOf(pool, 'fine')).toBeDefined();
    expect(reasonOf(pool, 'impossible')).toContain('even with nothing leased');
  });

  it('is not shut by many different requests that no host could ever serve', () => {
    const impossible = Array.from({ length: 2 * poolLimits.maxShapes }, (_, index) =>
      request(`impossible-${index}`, [{ name: 'x', gpus: 9 + index }]),
    );
    const pool = ask(poolOf(report('a')), [...impossible, request('fine', [{ name: 'x', gpus: 8 }])]);
    expect(idsOf(pool)).toEqual(['fine']);
  });

  it('keeps room for a second that waits while the first waits for one busy host', () => {
    const hosts = [report('a'), report('b')];
    const running = ask(poolOf(...hosts), [
      request('month', [{ name: 'x', gpus: 8, host: 'a' }]),
      request('hour', [{ name: 'x', gpus: 1, host: 'b' }]),
    ]);
    const pool = ask(
      running,
      [
        request('pinned', [{ name: 'x', gpus: 8, host: 'a' }]),
        request('gang', [{ name: 'x', gpus: 8 }]),
        request('small', [{ name: 'x', gpus: 1 }]),
      ],
      start + 5000,
    );
    expect(leaseOf(pool, 'small')).toBeUndefined();
    expect(leaseOf(giveBack(pool, 'hour', start + 20_000), 'gang')?.placements[0]?.host).toBe('b');
  });

  it('holds more hosts for a request the longer it waits', () => {
    const hosts = ['a', 'b', 'c'].map((name) => report(name, { gpuCount: 2 }));
    const running = ask(
      poolOf(...hosts),
      ['a', 'b', 'c'].map((host) => request(`on-${host}`, [{ name: 'x', gpus: 1, host }], { ttlSeconds: 86_400 })),
    );
    const pool = ask(running, [request('gang', [{ name: 'x', gpus: 2 }])], start + 10_000);
    const heard = (now: number): Pool => hosts.reduce((current, one) => reportHost(current, one, now).pool, pool);
    const soon = ask(heard(start + 20_000), [request('small', [{ name: 'x', gpus: 1 }])], start + 20_000);
    expect(leaseOf(soon, 'small')?.placements[0]?.host).not.toBe('a');
    const longAfter = start + 10_000 + 2 * poolLimits.widenMs;
    const later = ask(heard(longAfter), [request('small', [{ name: 'x', gpus: 1 }])], longAfter);
    expect(leaseOf(later, 'small')).toBeUndefined();
  });

  it('ends a wait at its limit with the last reason', () => {
    const busy = ask(poolOf(report('a')), [whole('busy'), whole('short', { waitSeconds: 30 })]);
    expect(nextLook(busy)).toBe(start + 1000 + 30_000);
    const { pool, notices } = look(busy, start + 31_000);
    expect(pool.queue).toHaveLength(0);
    expect(notices).toMatchObject([{ holder: 'holder/short', answer: { state: 'ended', ending: 'wait_over' } }]);
    expect(answerFor(pool, 'short')).toMatchObject({ reason: expect.stringContaining('too few free GPUs') });
  });
});

describe('expiry', () => {
  const leased = ask(poolOf(report('a')), [request('x', [{ name: 'x', gpus: 8 }], { ttlSeconds: 300 })]);
  /** Looks every minute, as the pool does. */
  const lookUntil = (pool: Pool, until: number, each: (pool: Pool, now: number) => Pool = (same) => same): Pool => {
    let current = pool;
    for (let now = pool.lookedAt + 60_000; now <= until; now += 60_000) current = each(look(current, now).pool, now);
    return current;
  };

  it('ends a lease without a sign of its holder, and the GPUs go to the next', () => {
    const waiting = ask(leased, [request('next', [{ name: 'x', gpus: 8 }])], start + 1000);
    const heard = (pool: Pool, now: number) => reportHost(pool, report('a'), now).pool;
    const after = lookUntil(waiting, start + 360_000, heard);
    expect(answerFor(after, 'x')).toMatchObject({ state: 'ended', ending: 'expired' });
    expect(leaseOf(schedule(after, start + 360_000).pool, 'next')).toBeDefined();
  });

  it('does not end one whose holder its host sees', () => {
    const heard = (pool: Pool, now: number) => reportHost(pool, report('a', { alive: ['x'] }), now).pool;
    expect(leaseOf(lookUntil(leased, start + 3_600_000, heard), 'x')).toBeDefined();
  });

  it('ends a lease at once where its host sees that the holder has ended', () => {
    const { pool } = reportHost(leased, report('a', { ended: ['x'] }), start + 2000);
    expect(answerFor(pool, 'x')).toMatchObject({ ending: 'holder_ended' });
  });

  it('believes a host only about leases on it', () => {
    const other = reportHost(leased, report('b', { ended: ['x'], alive: ['x'] }), start + 2000).pool;
    expect(leaseOf(other, 'x')?.expiresAt).toBe(leaseOf(leased, 'x')?.expiresAt);
  });

  it('takes the leases of a host that stays silent, and nothing new goes to a host that is late', () => {
    const long = ask(poolOf(report('a')), [request('x', [{ name: 'x', gpus: 1 }], { ttlSeconds: 86_400 })]);
    const late = lookUntil(long, start + poolLimits.lateMs + 60_000);
    const asked = ask(late, [request('new', [{ name: 'x', gpus: 1 }])], late.lookedAt);
    expect(leaseOf(asked, 'new')).toBeUndefined();
    expect(leaseOf(asked, 'x')).toBeDefined();
    const lost = lookUntil(asked, start + poolLimits.lostMs + 60_000);
    expect(answerFor(lost, 'x')).toMatchObject({ state: 'ended', ending: 'host_lost' });
    expect(lost.hosts[0]?.lost).toBe(true);
    const back = reportHost(lost, report('a'), lost.lookedAt).pool;
    expect(leaseOf(schedule(back, back.lookedAt).pool, 'new')).toBeDefined();
  });

  it('takes them as early as the host itself believes, which then reports the more often', () => {
    const brief = report('a', { silenceSeconds: 24 });
    const long = ask(poolOf(brief), [request('x', [{ name: 'x', gpus: 1 }], { ttlSeconds: 86_400 })]);
    expect(ordersFor(long, 'a').renewSeconds).toBe(4);
    expect(ordersFor(poolOf(report('a')), 'a').renewSeconds).toBe(15);
    expect(nextLook(long)).toBe(start + 24_000);
    const asked = ask(look(long, start + 13_000).pool, [request('new', [{ name: 'x', gpus: 1 }])], start + 13_000);
    expect(leaseOf(asked, 'new')).toBeUndefined();
    expect(leaseOf(look(asked, start + 23_000).pool, 'x')).toBeDefined();
    const lost = look(asked, start + 24_000).pool;
    expect(answerFor(lost, 'x')).toMatchObject({ ending: 'host_lost', reason: 'a has not been heard for 24 s' });
    expect(nextLook(lost)).toBe(start + 84_000);
    const back = reportHost(lost, brief, start + 30_000).pool;
    expect(leaseOf(schedule(back, start + 30_000).pool, 'new')).toBeDefined();
  });

  it('counts its own absence against nobody', () => {
    const { pool, notices } = look(leased, start + 86_400_000);
    expect(notices).toEqual([]);
    expect(leaseOf(pool, 'x')).toBeDefined();
    expect(pool.hosts[0]?.lost).toBe(false);
    expect(answerFor(lookUntil(pool, start + 86_400_000 + 360_000), 'x')).toMatchObject({ ending: 'expired' });
  });
});

describe('hosts', () => {
  it('that are drained keep their leases and get no new ones', () => {
    const pool = ask(poolOf(report('a')), [request('x', [{ name: 'x', gpus: 1 }])]);
    const drained = ask(drainHost(pool, 'a', true), [request('y', [{ name: 'x', gpus: 1 }])], start + 5000);
    expect(idsOf(drained)).toEqual(['x']);
    expect(reportHost(drained, report('a'), start + 6000).pool.hosts[0]?.draining).toBe(true);
    const undrained = schedule(drainHost(drained, 'a', false), start + 7000).pool;
    expect(idsOf(undrained)).toEqual(['x', 'y']);
  });

  it('are forgotten only where nothing is leased', () => {
    const pool = ask(poolOf(report('a')), [request('x', [{ name: 'x', gpus: 1 }])]);
    expect(() => removeHost(pool, 'a')).toThrow('1 leases hold something on "a", such as x');
    expect(removeHost(giveBack(pool, 'x', start), 'a').hosts).toEqual([]);
    expect(() => removeHost(pool, 'constructor')).toThrow('the pool knows no host "constructor"; it knows a');
  });

  it('of one name on two machines are told apart', () => {
    const pool = poolOf(report('a'));
    const other = report('a', { machine: 'another' });
    expect(() => checkReport(pool, other, start + 1000)).toThrow('another machine reports as "a"');
    expect(() => checkReport(pool, report('a'), start + 1000)).not.toThrow();
    expect(() => checkReport(pool, other, start + poolLimits.lateMs + 1)).not.toThrow();
  });

  it('may be named as what every object has', () => {
    const pool = poolOf(report('__proto__'));
    expect(hostReportSchema.parse(report('__proto__')).name).toBe('__proto__');
    expect(answerFor(pool, 'constructor')).toBeUndefined();
    expect(endLease(pool, 'toString', 'released', '', start).pool).toBe(pool);
    expect(idsOf(ask(pool, [request('constructor', [{ name: 'x' }])]))).toEqual(['constructor']);
  });
});
