import type { RunRef } from '../domain/stage.ts';
import { inspect, launch } from '../processes/launch.ts';
import { readLedger } from '../processes/ledger.ts';
import { findTree } from '../processes/process-tree.ts';
import { stopTree } from '../processes/stop-tree.ts';
import type { Attempt } from './attempts.ts';
import { fenceEnvironment } from './claim-stage.ts';
import type { Host } from './host.ts';
import { leaseEnvironment } from './lease-environment.ts';
import { beginUnderLease } from './lease-watch.ts';
import type { ProgramLauncher } from './program-launcher.ts';

/** Runs a stage's program as a process of this host that outlives the worker. */
export const processLauncher = (host: Host, run: RunRef, stage: string): ProgramLauncher => {
  const idOf = (attempt: Attempt): string => `${run.run}/${stage}/${attempt.number}`;

  return {
    diagnostics: [],
    inspect: async (attempt) => {
      const seen = await inspect(attempt.dir);
      switch (seen.state) {
        case 'running':
        case 'absent':
          return { state: seen.state };
        case 'exited':
          return {
            state: 'ended',
            detail: seen.signal ? `signal ${seen.signal}` : `exit code ${seen.code}`,
            end: { exitCode: seen.code, signal: seen.signal },
          };
        case 'lost':
          return {
            state: 'ended',
            detail: 'its process is gone and left no exit code',
            end: { exitCode: null, signal: null },
          };
      }
    },
    start: async (attempt, command, env) => {
      await beginUnderLease(host, run);
      await launch({
        id: idOf(attempt),
        runId: run.run,
        command: [...command],
        cwd: host.checkout,
        env: { ...env, ...leaseEnvironment(host, run), ...fenceEnvironment(run, stage) },
        ...(run.lease ? { fencingToken: String(run.lease.fence) } : {}),
        dir: attempt.dir,
      });
    },
    stop: async (attempt) => {
      await stopTree({ dir: attempt.dir, processId: idOf(attempt) });
    },
    processes: async (attempt) =>
      findTree({ processId: idOf(attempt) }, (await readLedger(attempt.dir))?.process ?? null),
  };
};
