import { expect, test } from 'vitest';
import { hostsTable } from '../../cli/hosts-table.ts';
import { leasesTable } from '../../cli/leases-table.ts';
import { emptyPool } from '../../domain/gpu-pool.ts';
import { drainHost, reportHost } from '../../domain/gpu-pool-hosts.ts';
import { requestLease } from '../../domain/gpu-pool-leases.ts';
import { schedule } from '../../domain/gpu-pool-schedule.ts';
import { report, request } from '../support/pool.ts';

const now = 1_000_000;
const hosts = [
  report('gpu-1', { labels: { zone: 'a' }, programs: ['digits/rl/1'] }),
  report('cpu-1', { gpuCount: 0, gpuFault: 'nvidia-smi did not answer within 10 s' }),
];
const asked = [
  request('digits/rl', [{ name: 'trainer', gpus: 5, cpus: 8, ports: 4 }], { holder: 'train/digits' }),
  request('other/rl', [{ name: 'trainer', gpus: 4 }], { priority: 2 }),
];
const pool = asked.reduce(
  (current, one) => schedule(requestLease(current, one, now).pool, now).pool,
  drainHost(
    hosts.reduce((current, one) => reportHost(current, one, now).pool, emptyPool(now)),
    'cpu-1',
    true,
  ),
);

const rowOf = (table: string, name: string): string[] =>
  (table.split('\n').find((line) => line.includes(name)) ?? '').split('│').map((cell) => cell.trim());

test('the table of hosts shows what each has and what of it is free', () => {
  const table = hostsTable(pool, now + 12_000);
  expect(rowOf(table, 'gpu-1').slice(1, 7)).toEqual(['gpu-1', 'ready', '12 s ago', '3 of 8', 'H100', '56 of 64']);
  expect(rowOf(table, 'gpu-1').at(-2)).toBe('zone=a; runs digits/rl/1');
  expect(rowOf(table, 'cpu-1')).toContain('draining');
  expect(rowOf(table, 'cpu-1').at(-2)).toBe('nvidia-smi did not answer within 10 s');
});

test('the table of leases shows who holds what, and who waits and why', () => {
  const table = leasesTable(pool, now + 3_720_000);
  expect(rowOf(table, 'digits/rl')).toContain('trainer on gpu-1: GPU 0,1,2,3,4 ports 20000-20003');
  expect(rowOf(table, 'digits/rl')).toContain('1 h 2 min');
  expect(rowOf(table, 'other/rl').slice(1, 6)).toEqual([
    '1',
    'other/rl',
    'holder/other/rl',
    '2',
    'trainer: 1 × 4 GPUs',
  ]);
  expect(table).toContain('too few free GPUs');
  expect(leasesTable(emptyPool(now), now)).toBe('nothing is leased\nnobody waits');
});
