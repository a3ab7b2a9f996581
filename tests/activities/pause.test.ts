import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import type { Host } from '../../activities/host.ts';
import { clearPause, isPausing, markPause } from '../../activities/pause-mark.ts';
import { processLauncher } from '../../activities/process-launcher.ts';
import { runProgram } from '../../activities/run-program.ts';
import { reportFiles, trainerCommand } from '../../activities/trainer-command.ts';
import type { RunRef } from '../../domain/stage.ts';
import { listCheckpoints } from '../../processes/artifact.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { waitFor } from '../processes/wait-for.ts';
import { activityContext } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

const outputOf = (run: RunRef): string => join(run.dir, 'sft');

/** Follows a program that saves when it is asked to end, and takes its time over that. */
const begin = async (host: Host, run: RunRef, savingSeconds: number) => {
  const context = activityContext();
  const ended = context
    .run(() =>
      runProgram({
        run,
        stage: 'sft',
        launcher: processLauncher(host, run, 'sft'),
        python: host.python,
        stallSeconds: 60,
        patienceSeconds: 60,
        plan: async (attempt) => ({
          config: {
            behaviour: 'save-when-asked',
            savingSeconds,
            outputDir: outputOf(run),
            ...reportFiles(attempt),
          },
          ...trainerCommand(host, 'sft', attempt.config, 1),
        }),
      }),
    )
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  const progress = join(run.dir, 'stages/sft/attempt-1/progress.json');
  await waitFor('a step', async () => {
    const content = await readFile(progress, 'utf8').catch(() => '{}');
    return (JSON.parse(content) as { total?: number }).total === 1000 ? true : undefined;
  });
  const cancel = (): void =>
    context.environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
  return { ended, cancel, heartbeats: context.heartbeats };
};

test('a program of a run that is being paused may take longer to save than one that is only stopped', async () => {
  const host = await testHost();
  const run = await testRun(host);
  // A stop kills after 10 seconds.
  const { ended, cancel, heartbeats } = await begin(host, run, 12);
  await markPause()(run);
  const before = heartbeats.length;
  cancel();
  expect(await ended).toBeInstanceOf(CancelledFailure);
  expect(heartbeats.length).toBeGreaterThan(before + 3);
  expect(await listCheckpoints(outputOf(run))).toHaveLength(1);
  const outcome = JSON.parse(await readFile(join(run.dir, 'stages/sft/attempt-1/outcome.json'), 'utf8'));
  expect(outcome).toMatchObject({ failure: { type: 'cancelled' } });
  expect(findProcesses({ runId: run.run })).toEqual([]);
});

test('a program that takes too long to save is stopped', async () => {
  const host = await testHost();
  const run = await testRun(host, { limits: { pauseSeconds: 0.5 } });
  const { ended, cancel } = await begin(host, run, 50);
  await markPause()(run);
  cancel();
  expect(await ended).toBeInstanceOf(CancelledFailure);
  expect(findProcesses({ runId: run.run })).toEqual([]);
  expect(await listCheckpoints(outputOf(run))).toEqual([]);
});

test('a pause that is no longer wanted gives no more time', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const { ended, cancel } = await begin(host, run, 50);
  await markPause()(run);
  cancel();
  expect(await isPausing(run)).toBe(true);
  await clearPause()(run);
  expect(await ended).toBeInstanceOf(CancelledFailure);
  expect(findProcesses({ runId: run.run })).toEqual([]);
});
