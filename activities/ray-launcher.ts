import { setTimeout as delay } from 'node:timers/promises';
import type { RunRef } from '../domain/stage.ts';
import { getRayJob, type RayJob, stopRayJob, submitRayJob } from '../processes/ray-jobs.ts';
import { stopTree } from '../processes/stop-tree.ts';
import type { Attempt } from './attempts.ts';
import { type Host, rayOf } from './host.ts';
import type { ProgramLauncher } from './program-launcher.ts';

const stopMs = 60_000;

/** Ray uses the id as a file name: only letters, digits, `_` and `-` are safe. */
export const submissionIdOf = (run: string, stage: string, attempt: number): string =>
  `${run}-${stage}-${attempt}`.replace(/[^A-Za-z0-9_-]/g, '-');

const quote = (argument: string): string => `'${argument.replaceAll("'", String.raw`'\''`)}'`;

const alive = (job: RayJob | undefined): boolean => job?.status === 'PENDING' || job?.status === 'RUNNING';

/**
 * Runs a stage's program as a job of Ray under our own submission id. The program's output goes to the attempt's log,
 * because Ray keeps its own only as long as the node lives.
 */
export const rayLauncher = (host: Host, run: RunRef, stage: string, gpus: number): ProgramLauncher => {
  const idOf = (attempt: Attempt): string => submissionIdOf(run.run, stage, attempt.number);
  const processIdOf = (attempt: Attempt): string => `${run.run}/${stage}/${attempt.number}`;

  return {
    inspect: async (attempt) => {
      const job = await getRayJob(rayOf(host), idOf(attempt));
      if (!job) return { state: 'ended', detail: `Ray does not know the job ${idOf(attempt)} any more` };
      if (alive(job)) return { state: 'running' };
      return { state: 'ended', detail: `Ray says ${job.status}: ${(job.message ?? '').slice(-300)}` };
    },
    start: async (attempt, command, env) => {
      await submitRayJob(rayOf(host), {
        submissionId: idOf(attempt),
        entrypoint: `exec ${command.map(quote).join(' ')} >> ${quote(attempt.log)} 2>&1`,
        env: { ...env, LENSMITH_RUN_ID: run.run, LENSMITH_PROCESS_ID: processIdOf(attempt) },
        metadata: { run: run.run, stage, attempt: String(attempt.number) },
        gpus,
      });
    },
    stop: async (attempt) => {
      const deadline = Date.now() + stopMs;
      await stopRayJob(rayOf(host), idOf(attempt));
      while (Date.now() < deadline && alive(await getRayJob(rayOf(host), idOf(attempt)))) await delay(500);
      // A driver whose head died runs on as an orphan that no Ray knows.
      await stopTree({ processId: processIdOf(attempt) });
    },
  };
};
