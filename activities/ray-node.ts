import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { CancelledFailure, Context, sleep } from '@temporalio/activity';
import { LensmithError } from '../domain/errors.ts';
import type { RunRef } from '../domain/stage.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import { askRay, type RayEndpoint } from '../processes/ray-api.ts';
import { latestAttempt, nextAttempt } from './attempts.ts';
import { lastLines } from './failure-record.ts';
import { leaseBegins, leaseEnds } from './gpu-hours-lease.ts';
import { addressOf, type Host } from './host.ts';
import { processLauncher } from './process-launcher.ts';
import { makeRayToken, rayStage, readRayToken } from './ray-cluster.ts';
import { rayFolder, rayNodeCommand, rayPortsOf } from './ray-node-command.ts';
import { readSpec } from './read-run.ts';
import { createHearing, type HearingLimits } from './server-hearing.ts';
import { collectDiagnostics } from './stall-diagnostics.ts';

const beatMs = 2000;
/** A node that hangs takes ten seconds not to answer; after a minute and a half of that it is started again. */
const usualHearing: HearingLimits = { everyMs: 5000, misses: 6 };

/** The head of a run's own Ray. */
export interface RayHead {
  /** Base URL of the Jobs API. */
  readonly address: string;
  /** `host:port` at which nodes join. */
  readonly gcs: string;
}

/** Each node has its own attempts: all hosts share the run's folder, and a host may be leased again. */
const stageOf = ({ name }: Pick<Host, 'name'>, { lease }: Pick<RunRef, 'lease'>): string =>
  `${rayStage}/${name}-${lease?.fence ?? 0}`;

const answers = (ray: RayEndpoint, path: string): Promise<boolean> =>
  askRay(ray, path).then(
    ({ status }) => status === 200,
    () => false,
  );

/** Whether the node works: its manager is well, and the head answers for the cluster. */
const isReady = async (run: RunRef, address: string, token: string, gcs: string | null): Promise<boolean> => {
  const ports = rayPortsOf(run);
  const at = (port: number): RayEndpoint => ({ address: `http://${address}:${port}`, token });
  if (!(await answers(at(ports.agent), '/api/local_raylet_healthz'))) return false;
  return gcs !== null || answers(at(ports.dashboard), '/api/version');
};

/**
 * Starts the node of Ray on this host, or finds the one that runs, and waits until it works: the head where `gcs` is null,
 * or a node that joins the head there.
 *
 * @throws LensmithError `ray_head` where it ends or is not ready within `limits.raySeconds`
 */
export const launchRayNode =
  (host: Host) =>
  async (run: RunRef, gcs: string | null): Promise<RayHead> => {
    const spec = await readSpec(run);
    const address = addressOf(host);
    const launcher = processLauncher(host, run, stageOf(host, run));
    await leaseBegins(run);
    const token = await makeRayToken(run);
    let attempt = await latestAttempt(run, stageOf(host, run));
    if (!attempt || (await launcher.inspect(attempt)).state !== 'running') {
      if (attempt) await launcher.stop(attempt);
      attempt = await nextAttempt(run, stageOf(host, run), attempt);
      const { command, env } = rayNodeCommand(host, run, spec, { gcs, token });
      await mkdir(rayFolder(host, run), { recursive: true, mode: 0o700 });
      // The token stays out of what is written down.
      await writeFileAtomic(attempt.command, `${JSON.stringify({ command }, null, 2)}\n`);
      await launcher.start(attempt, command, env);
    }
    const deadline = Date.now() + 1000 * spec.limits.raySeconds;
    while (!(await isReady(run, address, token, gcs))) {
      const state = await launcher.inspect(attempt);
      if (state.state !== 'running')
        throw new LensmithError(
          'ray_head',
          `the node of Ray on ${host.name} ended at once${await lastLines(attempt)}`,
          {
            where: attempt.dir,
          },
        );
      if (Date.now() > deadline) {
        await launcher.stop(attempt);
        throw new LensmithError('ray_head', `the node on ${host.name} was not ready in ${spec.limits.raySeconds} s`, {
          where: attempt.dir,
        });
      }
      Context.current().heartbeat({ waitingFor: `Ray on ${host.name}` });
      await sleep(500);
    }
    const ports = rayPortsOf(run);
    return { address: `http://${address}:${ports.dashboard}`, gcs: `${address}:${ports.gcs}` };
  };

/** Whether the node of an attempt answers: its manager, and at the head the store of the cluster. */
const works = async (run: RunRef, address: string, gcs: string | null): Promise<boolean> => {
  const token = (await readRayToken(run)) ?? undefined;
  const ports = rayPortsOf(run);
  const at = (port: number): RayEndpoint => ({ address: `http://${address}:${port}`, token });
  const answered = await Promise.all([
    answers(at(ports.agent), '/api/local_raylet_healthz'),
    gcs !== null || answers(at(ports.dashboard), '/api/gcs_healthz'),
  ]);
  return answered.every(Boolean);
};

/**
 * Watches the node of this host until it dies, and stops one that hangs, after a look at what it was doing; returns how it
 * ended. A cancellation ends the watch, not the node.
 *
 * @param gcs where the head of the cluster is; null where this is the head
 */
export const superviseRayNode =
  (host: Host, hearing: HearingLimits = usualHearing) =>
  async (run: RunRef, gcs: string | null): Promise<string> => {
    const launcher = processLauncher(host, run, stageOf(host, run));
    const hangs = createHearing(() => works(run, addressOf(host), gcs), hearing);
    // To look at a node that hangs, and to stop it, may take longer than Temporal waits for a sign of life.
    const timer = setInterval(() => Context.current().heartbeat({ ray: host.name }), beatMs);
    try {
      for (;;) {
        const attempt = await latestAttempt(run, stageOf(host, run));
        const state = attempt ? await launcher.inspect(attempt) : ({ state: 'absent' } as const);
        if (!attempt || state.state !== 'running')
          return state.state === 'ended' ? state.detail : 'it was never started';
        const silence = await hangs();
        if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('the watch ends');
        if (silence !== undefined) {
          await collectDiagnostics(host.python, launcher, attempt);
          await launcher.stop(attempt);
          return silence;
        }
        await Promise.race([delay(1000), Context.current().cancelled]);
        if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('the watch ends');
      }
    } finally {
      clearInterval(timer);
    }
  };

/** Stops the node of this host with all that it started, and removes its sockets and logs. */
export const stopRayNode =
  (host: Host) =>
  async (run: RunRef): Promise<void> => {
    const attempt = await latestAttempt(run, stageOf(host, run));
    if (!attempt) return;
    await processLauncher(host, run, stageOf(host, run)).stop(attempt);
    await rm(rayFolder(host, run), { recursive: true, force: true });
    await leaseEnds(run);
  };
