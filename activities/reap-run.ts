import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';
import { gpuProcessIds } from '../processes/gpu-processes.ts';
import { stopRayJob } from '../processes/ray-jobs.ts';
import { type StopResult, stopTree } from '../processes/stop-tree.ts';
import type { RunRemains } from './find-remains.ts';
import { type Host, rayOf } from './host.ts';

/** A driver frees the memory of a killed process within seconds. */
const gpuMs = 15_000;

const assertGpusFree = async (pids: ReadonlySet<number>): Promise<void> => {
  const deadline = Date.now() + gpuMs;
  for (;;) {
    const holders = ((await gpuProcessIds()) ?? []).filter((pid) => pids.has(pid));
    if (holders.length === 0) return;
    if (Date.now() > deadline)
      throw new LensmithError(
        'gpu_fault',
        `processes ${holders.join(', ')} are gone, but a GPU still has their memory`,
      );
    await delay(1000);
  }
};

/**
 * Stops everything of a run on this host: its jobs of Ray, then its processes with all that they started. Returns when
 * none of them lives and no GPU holds memory of one.
 *
 * @throws LensmithError naming what could not be stopped.
 */
export const reapRun = async (host: Host, { run, jobs }: RunRemains): Promise<StopResult> => {
  for (const job of jobs) await stopRayJob(rayOf(host), job);
  const stopped = await stopTree({ runId: run });
  await assertGpusFree(new Set([...stopped.terminated, ...stopped.killed].map(({ pid }) => pid)));
  return stopped;
};
