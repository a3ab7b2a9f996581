import type { RunRef } from '../domain/stage.ts';
import { inspect, launch } from '../processes/launch.ts';
import { stopTree } from '../processes/stop-tree.ts';
import type { Host } from './host.ts';
import type { ProgramLauncher } from './program-launcher.ts';

/** Runs a stage's program as a process of this host that outlives the worker. */
export const processLauncher = (host: Host, run: RunRef, stage: string): ProgramLauncher => ({
  inspect: async (attempt) => {
    const seen = await inspect(attempt.dir);
    switch (seen.state) {
      case 'running':
      case 'absent':
        return { state: seen.state };
      case 'exited':
        return { state: 'ended', detail: seen.signal ? `signal ${seen.signal}` : `exit code ${seen.code}` };
      case 'lost':
        return { state: 'ended', detail: 'its process is gone and left no exit code' };
    }
  },
  start: async (attempt, command, env) => {
    await launch({
      id: `${run.run}/${stage}/${attempt.number}`,
      runId: run.run,
      command: [...command],
      cwd: host.checkout,
      env,
      dir: attempt.dir,
    });
  },
  stop: async (attempt) => {
    await stopTree({ dir: attempt.dir, processId: `${run.run}/${stage}/${attempt.number}` });
  },
});
