import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CancelledFailure, Context, sleep } from '@temporalio/activity';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef } from '../domain/stage.ts';
import { servedModels } from '../episodes/served-models.ts';
import { readJson, writeFileAtomic } from '../processes/atomic-file.ts';
import { assertPortFree, freePort, isPortFree } from '../processes/free-port.ts';
import { type Attempt, latestAttempt, nextAttempt } from './attempts.ts';
import { claimStage, isSuperseded } from './claim-stage.ts';
import { classifyAttempt, lastLines, outcomeOf } from './failure-record.ts';
import { leaseBegins, leaseEnds } from './gpu-hours-lease.ts';
import { createServerWatch, serverAnswers, serverBegins, serverEnds } from './gpu-hours-server.ts';
import { addressOf, type Host } from './host.ts';
import { processLauncher } from './process-launcher.ts';
import type { ProgramState } from './program-launcher.ts';
import { readSpec } from './read-run.ts';
import { resolveModelPath } from './resolve-model-path.ts';
import { type ServerRequest, serverCommand } from './server-command.ts';
import { createHearing, type HearingLimits } from './server-hearing.ts';
import { collectDiagnostics } from './stall-diagnostics.ts';

/** A server that answers, and under which name it serves. */
export interface ServerEndpoint {
  readonly name: string;
  readonly url: string;
  readonly servedName: string;
}

const beatMs = 2000;

const stageOf = (request: ServerRequest): string => `serve-${request.name}`;

const endpointFile = (attempt: Attempt): string => join(attempt.dir, 'endpoint.json');

const endpointSchema = z.strictObject({ port: z.int(), address: z.string().default('127.0.0.1') });

const placeOf = (attempt: Attempt): Promise<z.infer<typeof endpointSchema>> =>
  readJson(endpointFile(attempt), endpointSchema);

/** The first port of the lease that is free. */
const leasedPort = async ([first, count]: readonly [number, number]): Promise<number> => {
  for (let port = first; port < first + count; port += 1) if (await isPortFree(port)) return port;
  throw new LensmithError('port', `expected a free port from ${first} to ${first + count - 1}, which are leased to it`);
};

/** A run's evaluations are told the judge's address once, so one that is started again takes its port again if it can. */
const portFor = async (
  { lease }: RunRef,
  request: ServerRequest,
  previous: Attempt | null | undefined,
): Promise<number> => {
  if (request.port !== null) return request.port;
  if (lease?.ports) return leasedPort(lease.ports);
  if (request.role !== 'judge' || !previous) return freePort();
  const before = await placeOf(previous).then(
    ({ port }) => port,
    () => null,
  );
  return before !== null && (await isPortFree(before)) ? before : freePort();
};

const urlOf = ({ address, port }: z.infer<typeof endpointSchema>): string => `http://${address}:${port}/v1`;

/** Where the judge of a run is served, or was when it was last started; null before that. */
export const judgeEndpoint = async (
  run: Pick<RunRef, 'dir'>,
  { judge }: Pick<RunSpec, 'judge'>,
): Promise<ServerEndpoint | null> => {
  const attempt = await latestAttempt(run, 'serve-judge');
  const place = attempt && (await placeOf(attempt).catch(() => undefined));
  return place === undefined ? null : { name: 'judge', url: urlOf(place), servedName: judge.servedName };
};

const serves = (url: string, servedName: string): Promise<boolean> =>
  servedModels(url, { timeoutMs: 3000 }).then(
    (ids) => {
      if (ids.includes(servedName)) return true;
      throw new LensmithError('config', `expected a server of the model "${servedName}", it serves ${ids.join(', ')}`, {
        where: url,
      });
    },
    () => false,
  );

const failureOf = async (attempt: Attempt, state: ProgramState): Promise<LensmithError> => {
  const ended = state.state === 'ended' ? state : { detail: 'it is lost', end: { exitCode: null, signal: null } };
  const { type } = await classifyAttempt(attempt, ended.end, false);
  const outcome = await outcomeOf(attempt);
  const message =
    outcome?.status === 'failed' ? outcome.failure.message : `the server ended before it was ready (${ended.detail})`;
  return new LensmithError(type, `${message}${await lastLines(attempt)}`, { where: attempt.dir });
};

/**
 * Launches a model server, or finds the one that runs, and waits until `/v1/models` names the expected model.
 *
 * @throws LensmithError of the class that the server reported or that its ending tells, or `infrastructure` past its
 * time to start.
 */
export const launchModelServer =
  (host: Host) =>
  async (run: RunRef, request: ServerRequest): Promise<ServerEndpoint> => {
    const spec = await readSpec(run);
    const launcher = processLauncher(host, run, stageOf(request));
    await claimStage(run, stageOf(request));
    await leaseBegins(run);
    let attempt = await latestAttempt(run, stageOf(request));
    if (!attempt || (await launcher.inspect(attempt)).state !== 'running') {
      // A stranger on the port would answer in place of ours.
      if (request.port !== null) await assertPortFree(request.port, `the server ${request.name}`);
      const port = await portFor(run, request, attempt);
      if (attempt) await serverEnds({ run, stage: stageOf(request), attempt }, true);
      attempt = await nextAttempt(run, stageOf(request), attempt);
      const { config, command, env } = await serverCommand(host, run, request, attempt, port);
      if (config) await writeFileAtomic(attempt.config, `${JSON.stringify(config, null, 2)}\n`);
      await writeFileAtomic(attempt.command, `${JSON.stringify({ command, env }, null, 2)}\n`);
      await writeFileAtomic(endpointFile(attempt), `${JSON.stringify({ port, address: addressOf(host) })}\n`);
      await serverBegins({ run, stage: stageOf(request), attempt }, spec, request.role);
      await launcher.start(attempt, command, env);
    }
    const url = urlOf(await placeOf(attempt));
    const seconds = request.role === 'judge' ? spec.judge.startSeconds : spec.serving.startSeconds;
    const deadline = Date.now() + seconds * 1000;
    while (!(await serves(url, request.servedName))) {
      const state = await launcher.inspect(attempt);
      if (state.state !== 'running') throw await failureOf(attempt, state);
      if (Date.now() > deadline) {
        await launcher.stop(attempt);
        throw new LensmithError('infrastructure', `the server was not ready after ${seconds} s`, {
          where: attempt.dir,
        });
      }
      Context.current().heartbeat({ waitingFor: url });
      await sleep(300);
    }
    await serverAnswers({ run, stage: stageOf(request), attempt });
    return { name: request.name, url, servedName: request.servedName };
  };

/** Asks the server of an attempt; one that cannot be told yet where it listens, or serves another model, is no answer. */
const answers = async (attempt: Attempt, { servedName }: ServerRequest): Promise<boolean> => {
  try {
    return await serves(urlOf(await placeOf(attempt)), servedName);
  } catch {
    return false;
  }
};

/**
 * Watches a server until it dies, and stops one that hangs, after a look at what it was doing; returns how it ended. A
 * cancellation ends the watch, not the server.
 */
export const superviseModelServer =
  (host: Host, hearing?: HearingLimits) =>
  async (run: RunRef, request: ServerRequest): Promise<string> => {
    const launcher = processLauncher(host, run, stageOf(request));
    const sign = createServerWatch();
    const watched = await latestAttempt(run, stageOf(request));
    const hangs = createHearing(async () => watched !== undefined && answers(watched, request), hearing);
    // To look at a server that hangs, and to stop it, may take longer than Temporal waits for a sign of life.
    const timer = setInterval(() => Context.current().heartbeat({ server: request.name }), beatMs);
    try {
      for (;;) {
        if (await isSuperseded(run, stageOf(request))) return 'a newer lease serves it';
        const attempt = await latestAttempt(run, stageOf(request));
        const state = attempt ? await launcher.inspect(attempt) : ({ state: 'absent' } as const);
        if (attempt && state.state !== 'running') await serverEnds({ run, stage: stageOf(request), attempt }, true);
        if (state.state !== 'running') return state.state === 'ended' ? state.detail : 'it was never started';
        if (attempt) await sign({ run, stage: stageOf(request), attempt });
        Context.current().heartbeat({ server: request.name });
        const silence = await hangs();
        if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('the watch ends');
        if (attempt && silence !== undefined) {
          await collectDiagnostics(host.python, launcher, attempt);
          await launcher.stop(attempt);
          await serverEnds({ run, stage: stageOf(request), attempt }, true);
          return silence;
        }
        await Promise.race([delay(1000), Context.current().cancelled]);
        if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('the watch ends');
      }
    } finally {
      clearInterval(timer);
    }
  };

/** Stops a server and everything it started. */
export const stopModelServer =
  (host: Host) =>
  async (run: RunRef, request: ServerRequest): Promise<void> => {
    const attempt = await latestAttempt(run, stageOf(request));
    // The newest attempt is another host's then, and what runs here is ended with its lease.
    if (!attempt || (await isSuperseded(run, stageOf(request)))) return;
    await processLauncher(host, run, stageOf(request)).stop(attempt);
    await serverEnds({ run, stage: stageOf(request), attempt }, false);
    await leaseEnds(run);
  };

/** Where the judge's weights lie on this host; null where the spec wants no judge. */
export const resolveJudge =
  (host: Host) =>
  async (run: RunRef): Promise<ServerRequest | null> => {
    const { judge } = await readSpec(run);
    if (judge.engine === 'none') return null;
    const model = await resolveModelPath(host, judge.model);
    return { name: 'judge', model, modelDigest: model, servedName: judge.servedName, role: 'judge', port: judge.port };
  };
