import type { RunRef } from '../domain/stage.ts';
import { stopRayJob } from '../processes/ray-jobs.ts';
import { stopTree } from '../processes/stop-tree.ts';
import { sweepTemporary } from '../processes/sweep-temporary.ts';
import { latestAttempt } from './attempts.ts';
import { type Host, rayOf } from './host.ts';
import { submissionIdOf } from './ray-launcher.ts';

/**
 * Ends whatever of a run still lives on this host: its job of Ray, its servers, its trainers. Files that one of them was
 * killed over go too.
 */
export const teardownRun =
  (host: Host) =>
  async (run: RunRef): Promise<void> => {
    const rl = await latestAttempt(run, 'rl');
    // A Ray that does not answer has no job to stop; the processes of the run end below in any case.
    if (rl) await stopRayJob(rayOf(host), submissionIdOf(run.run, 'rl', rl.number)).catch(() => false);
    await stopTree({ runId: run.run });
    await sweepTemporary(run.dir);
  };
