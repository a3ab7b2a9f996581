import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import type { Host } from '../../activities/host.ts';
import { processLauncher } from '../../activities/process-launcher.ts';
import { runProgram } from '../../activities/run-program.ts';
import { reportFiles, trainerCommand } from '../../activities/trainer-command.ts';
import type { RunRef } from '../../domain/stage.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { waitFor } from '../processes/wait-for.ts';
import { activityContext, inActivity } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

type Behaviour = 'succeed' | 'run-out-of-memory' | 'die' | 'freeze' | 'wait';

const outputOf = (run: RunRef): string => join(run.dir, 'output');

/** The stage of a run with the small trainer, as one execution of an activity would follow it. */
const program =
  (host: Host, run: RunRef, behaviour: Behaviour, stallSeconds = 60) =>
  () =>
    runProgram({
      run,
      stage: 'sft',
      launcher: processLauncher(host, run, 'sft'),
      stallSeconds,
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
  });
  expect(findProcesses({ runId: run.run })).toEqual([]);
});
