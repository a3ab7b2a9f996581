import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/activity';
import { ActivityCancellationDetails } from '@temporalio/common';
import { expect, onTestFinished, test } from 'vitest';
import { leaseBegins, leaseEnds } from '../../activities/gpu-hours-lease.ts';
import { readUsage } from '../../activities/gpu-hours-read.ts';
import { addUsageFact, readUsageFacts } from '../../activities/gpu-hours-record.ts';
import type { Host } from '../../activities/host.ts';
import { forgetLeases, holdLeases, uptimeSeconds } from '../../activities/lease-fence.ts';
import { readRunFile, runFilePath } from '../../activities/read-run.ts';
import type { UsageFact } from '../../domain/gpu-hours-facts.ts';
import type { RunRef } from '../../domain/stage.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { waitFor } from '../processes/wait-for.ts';
import { type Counting, countedFolder, countSteps } from './count-steps.ts';
import { activityContext, inActivity } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

const count = (host: Host, run: RunRef, counting: Counting) => inActivity(() => countSteps(host, run, counting));

const kill = (run: RunRef): void => {
  for (const { pid, command } of findProcesses({ runId: run.run }))
    if (command.includes('-m lensmith_trainers.stepper') && !command.includes('record-exit'))
      process.kill(pid, 'SIGKILL');
};

const halted = (run: RunRef) =>
  waitFor('the step at which it waits', async () =>
    (await readdir(countedFolder(run))).includes('halted') ? true : undefined,
  );

test('a program that is killed and resumed has wasted what it did after its last checkpoint', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const counting = { steps: 8, saveEvery: 3, step: 0.2, load: 0.5, haltAt: 5, threads: 2 };
  await mkdir(countedFolder(run));
  const first = count(host, run, counting);
  first.catch(() => undefined);
  await halted(run);
  kill(run);
  await expect(first).rejects.toMatchObject({ type: 'infrastructure', details: { step: 5 } });
  const died = await readUsage(run);
  expect(died.entries).toHaveLength(1);
  // Steps 4 and 5 came after the checkpoint of step 3.
  expect(died.entries[0]).toMatchObject({
    stage: 'sft',
    attempt: 1,
    unit: 'cpu-slot',
    count: 2,
    ending: 'infrastructure',
  });
  expect(died.entries[0]?.seconds.starting).toBeGreaterThanOrEqual(0.5);
  expect(died.entries[0]?.seconds.productive).toBeGreaterThanOrEqual(0.1);
  expect(died.entries[0]?.seconds.wasted).toBeGreaterThanOrEqual(0.4);

  expect(await count(host, run, counting)).toMatchObject({ state: 'completed', attempts: 2 });
  const { entries, totals } = await readUsage(run);
  // The first attempt is what it was; the second went on from step 3 and wasted nothing.
  expect(entries[0]?.seconds.wasted).toBeCloseTo(died.entries[0]?.seconds.wasted ?? 0, 6);
  expect(entries[1]).toMatchObject({ attempt: 2, ending: 'succeeded', seconds: { wasted: 0, stalled: 0 } });
  // Five steps of 0.2 s, the first of which may be over when its work is first seen.
  expect(entries[1]?.seconds.productive).toBeGreaterThanOrEqual(0.4);
  const life = entries.reduce((sum, { startedAt, endedAt }) => sum + (endedAt ?? 0) - startedAt, 0) / 1000;
  expect(totals).toHaveLength(1);
  expect(totals[0]?.total).toBeCloseTo((2 * life) / 3600, 6);
  const attempt = JSON.parse(await readFile(join(run.dir, 'stages/sft/attempt-2/resume.json'), 'utf8'));
  expect(attempt).toEqual({ from: join(countedFolder(run), 'checkpoint-3'), step: 3, passedOver: [] });
});

test('the ledger goes on over a restart of the worker, without a second start', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const counting = { steps: 12, saveEvery: 4, step: 0.25 };
  const first = activityContext();
  const leaving = first.run(() => countSteps(host, run, counting));
  await waitFor('its work', async () =>
    (await readUsageFacts(run)).some(({ kind }) => kind === 'attempt-running') ? true : undefined,
  );
  first.environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
  await expect(leaving).rejects.toBeInstanceOf(CancelledFailure);
  expect((await readUsage(run)).entries[0]).toMatchObject({ ending: 'running', endedAt: null });
  await count(host, run, counting);
  const { entries } = await readUsage(run);
  expect(entries).toHaveLength(1);
  expect(entries[0]).toMatchObject({ ending: 'succeeded', seconds: { wasted: 0 } });
  expect(entries[0]?.seconds.productive).toBeGreaterThanOrEqual(2);
  const kinds = (await readUsageFacts(run)).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'attempt-started')).toHaveLength(1);
  expect(kinds.filter((kind) => kind === 'checkpoint')).toHaveLength(3);
});

test('a program that was stopped by request has not failed, and its work since the checkpoint is lost', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await mkdir(countedFolder(run));
  const context = activityContext();
  const running = context.run(() => countSteps(host, run, { steps: 8, saveEvery: 2, step: 0.1, haltAt: 3 }));
  running.catch(() => undefined);
  await halted(run);
  await delay(1200);
  context.environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
  await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  const [entry] = (await readUsage(run)).entries;
  expect(entry).toMatchObject({ ending: 'stopped' });
  expect(entry?.seconds.wasted).toBeGreaterThanOrEqual(0.5);
});

test('a program that stood still has stalled, and did not work', async () => {
  const host = await testHost();
  const run = await testRun(host, { limits: { stallSeconds: 2 } });
  const stalling = count(host, run, { steps: 8, saveEvery: 2, step: 0.1, haltAt: 4 });
  await expect(stalling).rejects.toMatchObject({ type: 'stall' });
  const { entries } = await readUsage(run);
  expect(entries[0]).toMatchObject({ ending: 'stall' });
  expect(entries[0]?.seconds.stalled).toBeGreaterThanOrEqual(1.5);
});

test('a stage stops at a checkpoint where its budget is used up, and goes on with a greater one', async () => {
  const host = await testHost();
  // Two slots for 5.4 seconds, of which the start of the program takes one or two, of 12 that it would run.
  const run = await testRun(host, { limits: { gpuHours: 0.003 } });
  const counting = { steps: 60, saveEvery: 4, step: 0.2, threads: 2 };
  const context = activityContext();
  const stopped = context.run(() => countSteps(host, run, counting));
  await expect(stopped).rejects.toMatchObject({
    type: 'budget',
    message: expect.stringMatching(
      /limits\.gpuHours = 0\.003.*stopped at checkpoint-\d+.*lensmith resume .* --set limits\.gpuHours=/,
    ),
  });
  const facts = await readUsageFacts(run);
  const checkpoints = facts.filter(({ kind }) => kind === 'checkpoint');
  expect(checkpoints.length).toBeGreaterThan(0);
  expect(checkpoints.length).toBeLessThan(15);
  expect(facts.map(({ kind }) => kind)).toContain('budget-warned');
  expect(context.signals).toContainEqual(expect.objectContaining({ name: 'stage-note' }));
  const { budget, entries } = await readUsage(run);
  expect(budget).toMatchObject({ unit: 'cpu-slot', limit: 0.003, stoppedAt: expect.any(Number) });
  expect(entries[0]).toMatchObject({ ending: 'budget' });

  // Nothing is begun while the budget is what it was.
  await expect(count(host, run, counting)).rejects.toMatchObject({
    type: 'budget',
    message: expect.stringContaining('is not begun'),
  });
  expect(await readdir(join(run.dir, 'stages/sft'))).toEqual(['attempt-1']);

  const file = await readRunFile(run);
  const limits = { ...file.spec.limits, gpuHours: 1 };
  await writeFile(runFilePath(run.dir), JSON.stringify({ ...file, spec: { ...file.spec, limits } }));
  expect(await count(host, run, counting)).toMatchObject({ state: 'completed', attempts: 2 });
  const newest = Math.max(...checkpoints.map((fact) => (fact.kind === 'checkpoint' ? fact.step : 0)));
  expect(await readUsageFacts(run)).toContainEqual(
    expect.objectContaining({ kind: 'attempt-started', attempt: 2, resumeStep: newest }),
  );
});

test('what a lease held before, between and after its programs is idle', async () => {
  const host = await testHost();
  const opened = await testRun(host);
  const run: RunRef = { ...opened, lease: { id: 'train/x/sft-1', fence: 7, gpus: [0, 3], ports: null } };
  await holdLeases(host, uptimeSeconds(), 600);
  onTestFinished(() => forgetLeases(host, 0));
  await mkdir(countedFolder(run));
  const counting = { steps: 4, saveEvery: 2, step: 0.1, haltAt: 3 };
  const first = count(host, run, counting);
  first.catch(() => undefined);
  await halted(run);
  kill(run);
  await expect(first).rejects.toMatchObject({ type: 'infrastructure' });
  await delay(1500);
  await count(host, run, counting);
  const { entries, idleLeases } = await readUsage(run);
  expect(entries.map(({ unit, count: held }) => [unit, held])).toEqual([
    ['gpu', 2],
    ['gpu', 2],
  ]);
  // Two GPUs for the second and a half between the attempts, at least.
  expect(idleLeases).toEqual([{ unit: 'gpu', hours: expect.any(Number) }]);
  expect(idleLeases[0]?.hours).toBeGreaterThanOrEqual((2 * 1.5) / 3600);
});

test('the shares of a gang count each, and one without GPUs counts its processor slots', async () => {
  const opened = await testRun(await testHost());
  const share = (on: string, gpus: readonly number[]): RunRef => ({
    ...opened,
    lease: { id: 'train/x/trainer-1', fence: 7, host: on, gpus, cpus: 4, ports: null },
  });
  for (const run of [share('a', [0, 1]), share('b', []), share('b', [])]) await leaseBegins(run);
  for (const run of [share('a', [0, 1]), share('b', [])]) await leaseEnds(run);
  const facts = await readUsageFacts(opened);
  expect(facts).toMatchObject([
    { kind: 'lease-granted', id: 'train/x/trainer-1 7 a', unit: 'gpu', count: 2 },
    { kind: 'lease-granted', id: 'train/x/trainer-1 7 b', unit: 'cpu-slot', count: 4 },
    { kind: 'lease-released', id: 'train/x/trainer-1 7 a' },
    { kind: 'lease-released', id: 'train/x/trainer-1 7 b' },
  ]);
});

test('a line that a crash has torn costs only itself', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const fact: UsageFact = { kind: 'attempt-running', stage: 'rl', attempt: 1, at: 5 };
  await addUsageFact(run, fact);
  await appendFile(join(run.dir, 'gpu-hours.jsonl'), '{"kind":"attempt-run');
  await addUsageFact(run, { ...fact, attempt: 2 });
  expect(await readUsageFacts(run)).toEqual([fact, { ...fact, attempt: 2 }]);
});

test('several writers at once lose no line', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const facts = Array.from({ length: 40 }, (_, index): UsageFact => {
    return { kind: 'attempt-seen', stage: 'rl', attempt: 1 + index, at: index };
  });
  await Promise.all(facts.map((fact) => addUsageFact(run, fact)));
  const read = await readUsageFacts(run);
  expect([...read].sort((a, b) => ('at' in a && 'at' in b ? a.at - b.at : 0))).toEqual(facts);
});
