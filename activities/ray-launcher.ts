import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';
import type { RunRef } from '../domain/stage.ts';
import { findTree } from '../processes/process-tree.ts';
import { getRayJob, type RayJob, stopRayJob, submitRayJob } from '../processes/ray-jobs.ts';
import { rayViews, readRayView } from '../processes/ray-state.ts';
import { stopTree } from '../processes/stop-tree.ts';
import type { Attempt } from './attempts.ts';
import { fenceEnvironment } from './claim-stage.ts';
import { type Host, rayOf } from './host.ts';
import { leaseEnvironment } from './lease-environment.ts';
import { beginUnderLease } from './lease-watch.ts';
import type { ProgramLauncher, ProgramState } from './program-launcher.ts';

const stopMs = 60_000;
/** How long a stop waits for a Ray that does not answer. */
const silenceMs = 15_000;

/** Ray uses the id as a file name: only letters, digits, `_` and `-` are safe. */
export const submissionIdOf = (run: string, stage: string, attempt: number): string =>
  `${run}-${stage}-${attempt}`.replace(/[^A-Za-z0-9_-]/g, '-');

const quote = (argument: string): string => `'${argument.replaceAll("'", String.raw`'\''`)}'`;

const alive = (job: RayJob | undefined): boolean => job?.status === 'PENDING' || job?.status === 'RUNNING';

const isSilence = (error: unknown): error is LensmithError =>
  error instanceof LensmithError && error.type === 'ray_head';

/** What Ray says of a job's end, without what it adds of the job's output: the program's own is in the attempt's log. */
const wordsOf = (message: string): string => message.replace(/, last available logs.*$/s, '').slice(-300);

const stateOf = (job: RayJob | undefined, id: string): ProgramState => {
  if (alive(job)) return { state: 'running' };
  const exitCode = job?.driver_exit_code ?? null;
  const message = job?.message ?? '';
  return {
    state: 'ended',
    detail: job ? `Ray says ${job.status}: ${wordsOf(message)}` : `Ray does not know the job ${id} any more`,
    end: { exitCode, signal: null, ray: { status: job?.status ?? null, message } },
  };
};

/**
 * Runs a stage's program as a job of Ray under our own submission id. The program's output goes to the attempt's log,
 * because Ray keeps its own only as long as the node lives.
 */
export const rayLauncher = (host: Host, run: RunRef, stage: string, gpus: number): ProgramLauncher => {
  const ray = rayOf(host);
  const idOf = (attempt: Attempt): string => submissionIdOf(run.run, stage, attempt.number);
  const processIdOf = (attempt: Attempt): string => `${run.run}/${stage}/${attempt.number}`;

  /** Returns when the job has ended, or Ray was silent for too long: then with its error. */
  const stopJob = async (id: string): Promise<LensmithError | undefined> => {
    const deadline = Date.now() + stopMs;
    let answeredAt = Date.now();
    for (;;) {
      try {
        await stopRayJob(ray, id);
        if (!alive(await getRayJob(ray, id))) return undefined;
        answeredAt = Date.now();
      } catch (error) {
        if (!isSilence(error)) throw error;
        if (Date.now() - answeredAt > silenceMs) return error;
      }
      if (Date.now() > deadline)
        return new LensmithError('ray_head', `Ray did not stop the job ${id} within ${stopMs / 1000} s`);
      await delay(500);
    }
  };

  return {
    diagnostics: rayViews.map((view) => ({ file: `ray-${view}.json`, collect: () => readRayView(ray, view) })),
    inspect: async (attempt) => {
      try {
        return stateOf(await getRayJob(ray, idOf(attempt)), idOf(attempt));
      } catch (error) {
        if (!isSilence(error)) throw error;
        return { state: 'unknown', detail: error.message };
      }
    },
    start: async (attempt, command, env) => {
      await beginUnderLease(host, run);
      await submitRayJob(ray, {
        submissionId: idOf(attempt),
        entrypoint: `exec ${command.map(quote).join(' ')} >> ${quote(attempt.log)} 2>&1`,
        env: {
          ...env,
          ...leaseEnvironment(host, run),
          ...fenceEnvironment(run, stage),
          LENSMITH_RUN_ID: run.run,
          LENSMITH_PROCESS_ID: processIdOf(attempt),
        },
        metadata: { run: run.run, stage, attempt: String(attempt.number) },
        // The pool has chosen the GPUs; Ray would choose others.
        gpus: run.lease ? 0 : gpus,
      });
    },
    stop: async (attempt) => {
      const unproven = await stopJob(idOf(attempt));
      // A driver whose head died runs on as an orphan that no Ray knows.
      await stopTree({ processId: processIdOf(attempt) });
      if (unproven) throw unproven;
    },
    processes: async (attempt) => findTree({ processId: processIdOf(attempt) }, null),
  };
};
