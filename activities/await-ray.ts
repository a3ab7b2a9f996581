import { Context, sleep } from '@temporalio/activity';
import { LensmithError } from '../domain/errors.ts';
import type { RunRef } from '../domain/stage.ts';
import { rayResources, rayVersion } from '../processes/ray-jobs.ts';
import { countRayNodes } from '../processes/ray-state.ts';
import { type Host, rayOf } from './host.ts';
import { atRayOf } from './ray-cluster.ts';
import { readSpec } from './read-run.ts';

/** Resources of the cluster that RL runs on. */
export interface RayCluster {
  readonly address: string;
  readonly version: string;
  readonly gpus: number;
}

const missing = async (
  host: Host,
  gpus: number,
  nodes: number,
): Promise<{ cluster: RayCluster } | { reason: string }> => {
  try {
    const version = await rayVersion(rayOf(host));
    const living = nodes > 1 ? await countRayNodes(rayOf(host)) : nodes;
    if (living < nodes) return { reason: `${living} of the ${nodes} nodes have joined ${host.rayAddress}` };
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
 * Waits until Ray answers, has its nodes and the GPUs that the spec asks for.
 *
 * @throws LensmithError `auth` where Ray asks for another token; `infrastructure` after `limits.raySeconds`, with what was still missing.
 */
export const awaitRay =
  (host: Host) =>
  async (run: RunRef): Promise<RayCluster> => {
    const spec = await readSpec(run);
    const at = await atRayOf(host, run);
    const deadline = Date.now() + spec.limits.raySeconds * 1000;
    for (;;) {
      const seen = await missing(at, spec.gpus.rl, run.ray?.nodes ?? 1);
      if ('cluster' in seen) return seen.cluster;
      Context.current().heartbeat({ waitingFor: seen.reason });
      if (Date.now() > deadline)
        throw new LensmithError('infrastructure', `waited ${spec.limits.raySeconds} s for Ray: ${seen.reason}`, {
          where: at.rayAddress,
        });
      await sleep(1000);
    }
  };
