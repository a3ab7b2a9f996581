import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import type { Host } from '../../activities/host.ts';
import { processLauncher } from '../../activities/process-launcher.ts';
import { runProgram } from '../../activities/run-program.ts';
import { reportFiles, trainerCommand } from '../../activities/trainer-command.ts';
import { failureRecordSchema } from '../../domain/failure-class.ts';
import type { RunRef } from '../../domain/stage.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { stopTree } from '../../processes/stop-tree.ts';
import { waitFor } from '../processes/wait-for.ts';
import { activityContext, inActivity } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

type Behaviour = 'succeed' | 'run-out-of-memory' | 'die' | 'lose-the-network' | 'freeze' | 'wait';

const outputOf = (run: RunRef): string => join(run.dir, 'output');

/** The stage of a run with the small trainer, as one execution of an activity would follow it. */
const program =
  (host: Host, run: RunRef, behaviour: Behaviour, stallSeconds = 60) =>
  () =>
    runProgram({
      run,
      stage: 'sft',
      launcher: processLauncher(host, run, 'sft'),
      python: host.python,
      stallSeconds,
      patienceSeconds: 60,
      plan: async (attempt) => ({
        config: { behaviour, outputDir: outputOf(run), ...reportFiles(attempt) },
        ...trainerCommand(host, 'sft', attempt.config, 1),
      }),
    });

const starts = async (run: RunRef): Promise<unknown[]> =>
  (await readFile(join(outputOf(run), 'starts.jsonl'), 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

const started = (run: RunRef): Promise<number> =>
  waitFor('the program', async () => ((await starts(run)).length > 0 ? 1 : undefined));

/** Lets a waiting program go on to its end. */
const release = async (run: RunRef): Promise<void> => {
  await mkdir(outputOf(run), { recursive: true });
  await writeFile(join(outputOf(run), 'release'), '');
};

test('gives the details of a program that ended well, and tells its progress', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const context = activityContext();
  const { heartbeats, signals } = context;
  const { details, attempt } = await context.run(program(host, run, 'succeed'));
  expect(details).toEqual({ steps: 2 });
  expect(attempt.number).toBe(1);
  expect(heartbeats.at(-1)).toMatchObject({ stage: 'sft', attempt: 1, phase: 'running', step: 2, total: 2 });
  expect(signals[0]).toMatchObject({ workflowId: run.workflowId, name: 'stage-progress' });
});

test('a failure keeps the class and the words that the program gave it', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(inActivity(program(host, run, 'run-out-of-memory'))).rejects.toMatchObject({
    type: 'out_of_memory',
    message: expect.stringMatching(/^needed 9 GiB, had 1 GiB[\s\S]*the batch was too large/),
  });
});

test('a death without an outcome is of the infrastructure, with the end of the log', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(inActivity(program(host, run, 'die'))).rejects.toMatchObject({
    type: 'infrastructure',
    message: expect.stringMatching(/exit code 3[\s\S]*Segmentation fault, says the fixture/),
  });
});

test('what ended an attempt is written down', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(inActivity(program(host, run, 'lose-the-network'))).rejects.toMatchObject({
    type: 'nccl',
    details: { attempt: 1, step: 1 },
  });
  const record = failureRecordSchema.parse(
    JSON.parse(await readFile(join(run.dir, 'stages/sft/attempt-1/failure.json'), 'utf8')),
  );
  expect(record).toMatchObject({
    type: 'nccl',
    evidence: expect.stringContaining('Watchdog caught collective operation timeout'),
    attempt: 1,
    step: 1,
    microBatchSize: null,
    remedy: null,
  });
});

test('an attempt that died while nobody followed it is written down before the next begins', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const first = activityContext();
  const leaving = first.run(program(host, run, 'wait'));
  await started(run);
  first.environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
  await expect(leaving).rejects.toBeInstanceOf(CancelledFailure);
  await stopTree({ runId: run.run, graceMs: 0 });
  expect((await inActivity(program(host, run, 'succeed'))).attempt.number).toBe(2);
  const record = JSON.parse(await readFile(join(run.dir, 'stages/sft/attempt-1/failure.json'), 'utf8'));
  expect(record).toMatchObject({ attempt: 1, message: expect.stringContaining('while nobody followed it') });
});

test('a program that died is begun anew as the next attempt', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(inActivity(program(host, run, 'die'))).rejects.toMatchObject({ type: 'infrastructure' });
  const { attempt } = await inActivity(program(host, run, 'succeed'));
  expect(attempt.number).toBe(2);
  expect(await starts(run)).toHaveLength(2);
});

test('the shutdown of the worker leaves the program, and the next execution finds it', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const first = activityContext();
  const leaving = first.run(program(host, run, 'wait'));
  await started(run);
  first.environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
  await expect(leaving).rejects.toBeInstanceOf(CancelledFailure);
  expect(findProcesses({ runId: run.run })).not.toEqual([]);

  const second = activityContext({ attempt: 2 });
  const following = second.run(program(host, run, 'wait'));
  await waitFor('a heartbeat', () => second.heartbeats[0]);
  await release(run);
  expect((await following).attempt.number).toBe(1);
  expect(await starts(run)).toHaveLength(1);
});

test('the stacks of a program that somebody has stopped are kept too', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const running = inActivity(program(host, run, 'freeze', 2));
  running.catch(() => undefined);
  await started(run);
  for (const { pid, command } of findProcesses({ runId: run.run }))
    if (command.includes('-m lensmith_trainers.sft') && !command.includes('record-exit')) process.kill(pid, 'SIGSTOP');
  await expect(running).rejects.toMatchObject({ type: 'stall' });
  const folder = join(run.dir, 'stages/sft/attempt-1/diagnostics');
  const [stacks = ''] = (await readdir(folder)).filter((name) => name.startsWith('stacks-'));
  expect(await readFile(join(folder, stacks), 'utf8')).toMatch(/main \(.*sft\.py:\d+\)/);
  expect(await readFile(join(folder, 'processes.tsv'), 'utf8')).toContain('T (stopped)');
});

test('two executions that overlap start one program', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(inActivity(program(host, run, 'die'))).rejects.toMatchObject({ type: 'infrastructure' });
  const both = [1, 2].map((attempt) => activityContext({ attempt }).run(program(host, run, 'wait')));
  await waitFor('the second start', async () => ((await starts(run)).length > 1 ? true : undefined));
  await release(run);
  const endings = await Promise.all(both);
  expect(endings.map(({ attempt }) => attempt.number)).toEqual([2, 2]);
  expect(await starts(run)).toHaveLength(2);
});

test('a program that ended well while nobody looked is not run again', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const first = activityContext();
  const leaving = first.run(program(host, run, 'wait'));
  await started(run);
  first.environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
  await expect(leaving).rejects.toBeInstanceOf(CancelledFailure);
  await release(run);
  await waitFor('its end', () => (findProcesses({ runId: run.run }).length === 0 ? true : undefined));

  expect((await inActivity(program(host, run, 'wait'))).details).toEqual({ steps: 2 });
  expect(await starts(run)).toHaveLength(1);
});

test('a cancel that was asked for stops the program and what it started', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const { environment } = activityContext();
  const running = environment.run(program(host, run, 'wait'));
  // The program, its shell and the child that left the session.
  await waitFor('the tree', () => (findProcesses({ runId: run.run }).length >= 3 ? true : undefined));
  environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
  await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  expect(findProcesses({ runId: run.run })).toEqual([]);
});

test('a program without progress is stopped as stalled', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(inActivity(program(host, run, 'freeze', 1))).rejects.toMatchObject({
    type: 'stall',
    message: expect.stringContaining('limits.stallSeconds = 1'),
    details: { attempt: 1, step: 1 },
  });
  expect(findProcesses({ runId: run.run })).toEqual([]);
});

test('what a stalled program was doing is kept', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await expect(inActivity(program(host, run, 'freeze', 1))).rejects.toMatchObject({ type: 'stall' });
  const folder = join(run.dir, 'stages/sft/attempt-1/diagnostics');
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  const { files } = JSON.parse(await read('collected.json')) as { files: Record<string, string> };
  const stacks = Object.keys(files).filter((name) => name.startsWith('stacks-'));
  expect(stacks).toHaveLength(1);
  expect(await read(stacks[0] ?? '')).toMatch(/main \(.*sft\.py:\d+\)/);
  expect(await read('processes.tsv')).toMatch(/python.*lensmith_trainers\.sft/);
  // Every file says whether it could be had, also where there is no GPU.
  expect(Object.keys(files)).toEqual(expect.arrayContaining(['gpus.txt', 'gpu-processes.csv', 'log-end.txt']));
});
