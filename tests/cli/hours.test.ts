import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { addUsageFact } from '../../activities/gpu-hours-record.ts';
import type { Host } from '../../activities/host.ts';
import { hoursTable } from '../../cli/hours-table.ts';
import { usageLedgerSchema } from '../../domain/gpu-hours.ts';
import type { UsageFact } from '../../domain/gpu-hours-facts.ts';
import { usageLedger } from '../../domain/gpu-hours-ledger.ts';
import { testHost, testRun } from '../activities/test-host.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

const hour = 3_600_000;
const attempt = { stage: 'rl', attempt: 1 } as const;

/** Eight GPUs for two hours: half an hour of loading, an hour up to a checkpoint, half an hour that was lost. */
const facts: UsageFact[] = [
  {
    kind: 'attempt-started',
    ...attempt,
    unit: 'gpu',
    count: 8,
    role: 'trainer',
    resumeStep: null,
    folder: 'checkpoints',
    at: 1e12,
  },
  { kind: 'attempt-running', ...attempt, at: 1e12 + hour / 2 },
  { kind: 'checkpoint', stage: 'rl', folder: 'checkpoints', step: 20, at: 1e12 + 1.5 * hour },
  { kind: 'attempt-ended', ...attempt, at: 1e12 + 2 * hour, type: 'nccl', succeeded: false },
];

const rowOf = (table: string, name: string): string[] =>
  (table.split('\n').find((line) => line.includes(name)) ?? '').split('│').map((cell) => cell.trim());

const hours = (host: Host, args: string[]) =>
  execa(process.execPath, [main, 'hours', ...args], {
    reject: false,
    timeout: 60_000,
    env: { LENSMITH_HOME: host.home },
  });

test('a row an attempt shows where its hours went, and the last one their sum', () => {
  const table = hoursTable(usageLedger(facts, { unit: 'gpu', hours: 20 }));
  expect(rowOf(table, 'nccl').slice(1, -1)).toEqual([
    'rl',
    '1',
    '8 GPUs',
    'nccl',
    '8.00',
    '4.00',
    '–',
    '4.00',
    '–',
    '16.00',
  ]);
  expect(rowOf(table, 'GPU hours').slice(3, -1)).toEqual(['GPU hours', '–', '8.00', '4.00', '–', '4.00', '–', '16.00']);
  expect(table).toContain('16.00 of limits.gpuHours = 20 are used, 80.0 %');
});

test('what was leased and not used has a row, and a run that used nothing says so', () => {
  const leases: UsageFact[] = [
    { kind: 'lease-granted', id: 'x', unit: 'gpu', count: 10, at: 1e12 },
    { kind: 'lease-released', id: 'x', at: 1e12 + 2 * hour },
  ];
  expect(rowOf(hoursTable(usageLedger([...facts, ...leases])), 'leased').slice(-3, -1)).toEqual(['4.00', '4.00']);
  expect(hoursTable(usageLedger([]))).toMatch(/nothing was used/);
});

test('the command reads the ledger of a run, and has it as JSON', async () => {
  const host = await testHost();
  const run = await testRun(host);
  for (const fact of facts) await addUsageFact(run, fact);
  expect((await hours(host, [run.run])).stdout).toContain('GPU hours');
  const json = usageLedgerSchema.parse(JSON.parse((await hours(host, [run.run, '--json'])).stdout));
  expect(json.totals).toEqual([{ unit: 'gpu', starting: 4, productive: 8, stalled: 0, wasted: 4, idle: 0, total: 16 }]);
  expect(json.budget).toBeNull();
  expect(await hours(host, ['nobody'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('run.json') });
});
