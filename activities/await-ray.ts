import { Context, sleep } from '@temporalio/activity';
import { LensmithError } from '../domain/errors.ts';
import type { RunRef } from '../domain/stage.ts';
import { rayResources, rayVersion } from '../processes/ray-jobs.ts';
import { type Host, rayOf } from './host.ts';
import { readSpec } from './read-run.ts';

/** Resources of the cluster that RL runs on. */
export interface RayCluster {
  readonly address: string;
  readonly version: string;
  readonly gpus: number;
}

const missing = async (host: Host, gpus: number): Promise<{ cluster: RayCluster } | { reason: string }> => {
  try {
    const version = await rayVersion(rayOf(host));
    if (gpus === 0) return { cluster: { address: host.rayAddress, version, gpus: 0 } };
    const total = (await rayResources(rayOf(host))).GPU?.[1] ?? 0;
    if (total >= gpus) return { cluster: { address: host.rayAddress, version, gpus: total } };
    return { reason: `gpus.rl asks for ${gpus}, the cluster at ${host.rayAddress} has ${total}` };
  } catch (error) {
    // A token does not appear by waiting.
    if (error instanceof LensmithError && error.type === 'auth') throw error;
    return { reason: error instanceof Error ? error.message : String(error) };
  }
};

/**
 * Waits until Ray answers and has the GPUs that the spec asks for.
 *
 * @throws LensmithError `auth` where Ray asks for another token; `infrastructure` after `limits.raySeconds`, with what was still missing.
 */
export const awaitRay =
  (host: Host) =>
  async (run: RunRef): Promise<RayCluster> => {
    const spec = await readSpec(run);
    const deadline = Date.now() + spec.limits.raySeconds * 1000;
    for (;;) {
      const seen = await missing(host, spec.gpus.rl);
      if ('cluster' in seen) return seen.cluster;
      Context.current().heartbeat({ waitingFor: seen.reason });
      if (Date.now() > deadline)
        throw new LensmithError('infrastructure', `waited ${spec.limits.raySeconds} s for Ray: ${seen.reason}`, {
          where: host.rayAddress,
        });
      await sleep(1000);
    }
  };
