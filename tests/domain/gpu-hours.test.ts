import { expect, test } from 'vitest';
import { totalHours, type UsageLedger } from '../../domain/gpu-hours.ts';
import type { UsageFact } from '../../domain/gpu-hours-facts.ts';
import { usageLedger } from '../../domain/gpu-hours-ledger.ts';

const seconds = (value: number): number => 1_700_000_000_000 + 1000 * value;

interface Life {
  readonly stage?: string;
  readonly attempt?: number;
  readonly count?: number;
  readonly role?: 'trainer' | 'server';
  readonly resumeStep?: number | null;
  readonly folder?: string;
  /** Seconds. */
  readonly started: number;
  readonly running?: number;
  readonly ended?: number;
  readonly ending?: 'succeeded' | 'stopped' | 'nccl';
}

const life = (of: Life): UsageFact[] => {
  const { stage = 'rl', attempt = 1, count = 8, ending = 'succeeded' } = of;
  const facts: UsageFact[] = [
    {
      kind: 'attempt-started',
      stage,
      attempt,
      unit: 'gpu',
      count,
      role: of.role ?? 'trainer',
      resumeStep: of.resumeStep ?? null,
      folder: of.folder ?? 'checkpoints',
      at: seconds(of.started),
    },
  ];
  if (of.running !== undefined) facts.push({ kind: 'attempt-running', stage, attempt, at: seconds(of.running) });
  if (of.ended !== undefined)
    facts.push({
      kind: 'attempt-ended',
      stage,
      attempt,
      at: seconds(of.ended),
      type: ending === 'nccl' ? 'nccl' : null,
      succeeded: ending === 'succeeded',
    });
  return facts;
};

const checkpoint = (step: number, at: number, folder = 'checkpoints'): UsageFact => ({
  kind: 'checkpoint',
  stage: 'rl',
  folder,
  step,
  at: seconds(at),
});

const stalled = (from: number, to: number, attempt = 1): UsageFact => ({
  kind: 'attempt-stalled',
  stage: 'rl',
  attempt,
  from: seconds(from),
  to: seconds(to),
});

const secondsOf = ({ entries }: UsageLedger) =>
  entries.map(({ seconds: { productive, starting, stalled: quiet, wasted, idle } }) => [
    starting,
    productive,
    quiet,
    wasted,
    idle,
  ]);

test('an attempt that ends well is starting, then productive', () => {
  // 100 s of loading and 800 s of training on eight GPUs: 800 / 3600 and 6400 / 3600 hours.
  const ledger = usageLedger(life({ started: 0, running: 100, ended: 900 }));
  expect(secondsOf(ledger)).toEqual([[100, 800, 0, 0, 0]]);
  expect(ledger.totals).toHaveLength(1);
  expect(ledger.totals[0]).toMatchObject({ unit: 'gpu', total: 2 });
  expect(ledger.totals[0]?.starting).toBeCloseTo(0.2222, 4);
  expect(ledger.totals[0]?.productive).toBeCloseTo(1.7778, 4);
});

test('what an attempt did after the checkpoint from which the next went on is wasted', () => {
  // It dies at 1000, 200 s after its checkpoint; the next one loads for 50 s.
  const ledger = usageLedger([
    ...life({ started: 0, running: 100, ended: 1000, ending: 'nccl' }),
    checkpoint(20, 500),
    checkpoint(40, 800),
    ...life({ attempt: 2, started: 1010, running: 1060, ended: 1560, resumeStep: 40 }),
  ]);
  expect(secondsOf(ledger)).toEqual([
    [100, 700, 0, 200, 0],
    [50, 500, 0, 0, 0],
  ]);
  expect(ledger.entries.map(({ ending }) => ending)).toEqual(['nccl', 'succeeded']);
});

test('a torn newest checkpoint wastes the work of the attempts before as well', () => {
  // The second goes on from step 40 and dies without a checkpoint; the third finds step 40 torn and goes on from 20.
  const ledger = usageLedger([
    ...life({ started: 0, running: 100, ended: 1000, ending: 'nccl' }),
    checkpoint(20, 500),
    checkpoint(40, 800),
    ...life({ attempt: 2, started: 1010, running: 1060, ended: 1260, ending: 'nccl', resumeStep: 40 }),
    ...life({ attempt: 3, started: 1300, running: 1350, ended: 2350, resumeStep: 20 }),
  ]);
  expect(secondsOf(ledger)).toEqual([
    [100, 400, 0, 500, 0],
    [50, 0, 0, 200, 0],
    [50, 1000, 0, 0, 0],
  ]);
});

test('an attempt without a checkpoint is wasted whole when the next begins at step 0', () => {
  const ledger = usageLedger([
    ...life({ started: 0, running: 10, ended: 110, ending: 'nccl' }),
    ...life({ attempt: 2, started: 120, running: 130, ended: 230 }),
  ]);
  expect(secondsOf(ledger)).toEqual([
    [10, 0, 0, 100, 0],
    [10, 100, 0, 0, 0],
  ]);
});

test('where the last attempt died, its work since the newest checkpoint is lost already', () => {
  const died = [...life({ started: 0, running: 10, ended: 110, ending: 'nccl' }), checkpoint(3, 70)];
  expect(secondsOf(usageLedger(died))).toEqual([[10, 60, 0, 40, 0]]);
  const again = life({ attempt: 2, started: 200, running: 210, ended: 240, ending: 'nccl', resumeStep: 3 });
  expect(secondsOf(usageLedger([...died, ...again]))).toEqual([
    [10, 60, 0, 40, 0],
    [10, 0, 0, 30, 0],
  ]);
});

test('a stage that makes something else wastes nothing of what it made before', () => {
  const ledger = usageLedger([
    ...life({ started: 0, running: 10, ended: 110 }),
    checkpoint(5, 100),
    ...life({ attempt: 2, folder: 'checkpoints-2', started: 200, running: 210, ended: 310, ending: 'nccl' }),
    checkpoint(5, 250, 'checkpoints-2'),
  ]);
  expect(secondsOf(ledger)).toEqual([
    [10, 100, 0, 0, 0],
    [10, 40, 0, 60, 0],
  ]);
});

test('a time without progress is stalled and neither work nor waste; its latest word counts', () => {
  const ledger = usageLedger([
    ...life({ started: 0, running: 100, ended: 1000, ending: 'nccl' }),
    checkpoint(20, 400),
    stalled(600, 700),
    stalled(600, 900),
  ]);
  // Work from 100 to 400, waste from 400 to 600 and from 900 on.
  expect(secondsOf(ledger)).toEqual([[100, 300, 300, 300, 0]]);
});

test('an attempt that never got to work was starting all the time', () => {
  expect(secondsOf(usageLedger(life({ started: 0, ended: 30, ending: 'nccl' })))).toEqual([[30, 0, 0, 0, 0]]);
});

test('an attempt under way counts up to the last sign of its life, and wastes nothing', () => {
  const ledger = usageLedger([
    ...life({ started: 0, running: 100 }),
    { kind: 'attempt-seen', stage: 'rl', attempt: 1, at: seconds(460) },
  ]);
  expect(secondsOf(ledger)).toEqual([[100, 360, 0, 0, 0]]);
  expect(ledger.entries[0]).toMatchObject({ ending: 'running', endedAt: null });
});

test('a server is productive while an evaluation asks it, and idle else', () => {
  const ledger = usageLedger([
    ...life({
      stage: 'serve-judge',
      role: 'server',
      count: 2,
      started: 0,
      running: 60,
      ended: 1000,
      ending: 'stopped',
    }),
    { kind: 'evaluation-began', id: 'a', servers: ['serve-judge', 'serve-x'], at: seconds(100) },
    { kind: 'evaluation-ended', id: 'a', at: seconds(300) },
    // Two that overlap count once; the last was cut off and never ended.
    { kind: 'evaluation-began', id: 'b', servers: ['serve-judge'], at: seconds(250) },
    { kind: 'evaluation-ended', id: 'b', at: seconds(400) },
    { kind: 'evaluation-began', id: 'c', servers: ['serve-judge'], at: seconds(900) },
    { kind: 'evaluation-began', id: 'd', servers: ['serve-y'], at: seconds(0) },
  ]);
  expect(secondsOf(ledger)).toEqual([[60, 400, 0, 0, 540]]);
  expect(ledger.entries[0]?.hours.idle).toBeCloseTo((2 * 540) / 3600, 10);
});

test('what is leased and not held by a program is idle', () => {
  // Ten GPUs for an hour; eight are held for half of it: 10 × 1 − 8 × 0.5 hours.
  const ledger = usageLedger([
    { kind: 'lease-granted', id: 'l', unit: 'gpu', count: 10, at: seconds(0) },
    ...life({ started: 600, running: 600, ended: 2400 }),
    { kind: 'lease-released', id: 'l', at: seconds(3600) },
  ]);
  expect(ledger.idleLeases).toEqual([{ unit: 'gpu', hours: 6 }]);
  expect(ledger.totals[0]).toMatchObject({ idle: 6, productive: 4, total: 10 });
});

test('GPUs and processor slots are never added up', () => {
  const ledger = usageLedger(
    [
      ...life({ started: 0, running: 0, ended: 3600 }),
      ...life({ stage: 'sft', count: 2, started: 0, running: 0, ended: 3600 }).map((fact) =>
        fact.kind === 'attempt-started' ? { ...fact, unit: 'cpu-slot' as const } : fact,
      ),
    ],
    { unit: 'cpu-slot', hours: 4 },
  );
  expect(ledger.totals.map(({ unit, total }) => [unit, total])).toEqual([
    ['gpu', 8],
    ['cpu-slot', 2],
  ]);
  expect(ledger.budget).toMatchObject({ unit: 'cpu-slot', used: 2, limit: 4, warnedAt: null, stoppedAt: null });
});

test('what was said of a smaller budget is no longer said once it is raised', () => {
  const facts: UsageFact[] = [
    ...life({ started: 0, running: 0, ended: 3600 }),
    { kind: 'budget-warned', stage: 'rl', at: 1, used: 4, forecast: null, limit: 5 },
    { kind: 'budget-stopped', stage: 'rl', at: 2, used: 5, forecast: null, limit: 5 },
  ];
  expect(usageLedger(facts, { unit: 'gpu', hours: 5 }).budget).toMatchObject({ used: 8, warnedAt: 1, stoppedAt: 2 });
  expect(usageLedger(facts, { unit: 'gpu', hours: 50 }).budget).toMatchObject({ warnedAt: null, stoppedAt: null });
});

test('a line that was written twice counts once, and the categories add up to the life of the attempt', () => {
  const facts = [
    ...life({ started: 0, running: 100, ended: 1000, ending: 'nccl' }),
    checkpoint(20, 400),
    stalled(600, 900),
  ];
  const doubled = usageLedger(facts.flatMap((fact) => [fact, fact]));
  expect(doubled).toEqual(usageLedger(facts));
  expect(
    totalHours(doubled.entries[0]?.hours ?? { productive: 0, starting: 0, stalled: 0, wasted: 0, idle: 0 }),
  ).toBeCloseTo((8 * 1000) / 3600, 10);
});
