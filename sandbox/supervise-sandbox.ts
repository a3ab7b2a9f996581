import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';
import { type SupervisorSettings, supervisorNewsSchema } from './serve-sandbox.ts';

const readyMs = 90_000;
const restMs = 1000;

interface Supervisor {
  readonly child: ChildProcess;
  /** Resolves once it has loaded its sandbox. Rejects with why it could not. */
  readonly ready: Promise<void>;
  /** Resolves once it serves. */
  readonly listen: () => Promise<void>;
  readonly exited: Promise<void>;
}

const failure = (message: string, settings: SupervisorSettings): LensmithError =>
  new LensmithError('infrastructure', message, { where: `${settings.hostname}:${settings.port}` });

const startSupervisor = (program: string, settings: SupervisorSettings): Supervisor => {
  const child = fork(program, ['sandbox', 'supervisor', '--settings', JSON.stringify(settings)]);
  const exited = once(child, 'exit').then(() => undefined);
  const heard = (kind: 'ready' | 'listening'): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(failure(`a supervisor was not ${kind} in time`, settings)), readyMs);
      timer.unref();
      child.on('message', (message) => {
        const news = supervisorNewsSchema.safeParse(message);
        if (!news.success) return;
        if (kind in news.data) resolve();
        if ('failed' in news.data) reject(failure(news.data.failed, settings));
      });
      void exited.then(() => reject(failure('a supervisor ended by itself', settings)));
    });
  const ready = heard('ready');
  ready.catch(() => undefined);
  return {
    child,
    ready,
    exited,
    listen: async () => {
      await ready;
      const listening = heard('listening');
      child.send({ listen: true });
      await listening;
    },
  };
};

/**
 * Serves a sandbox over HTTP until SIGTERM or SIGINT, by one supervisor that serves and one that stands by with its
 * libraries loaded. Where the first dies the other takes its port at once; sessions of the first are lost, which their
 * callers see as a connection that ends.
 *
 * `program` is the file that calls `serveSandbox` when it is given `sandbox supervisor --settings JSON`.
 *
 * @throws LensmithError where the first supervisor cannot serve.
 */
export const superviseSandbox = async (program: string, settings: SupervisorSettings): Promise<void> => {
  let stopping = false;
  const asked = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]).then(() => {
    stopping = true;
  });
  let serving = startSupervisor(program, settings);
  let standby: Supervisor | undefined;
  try {
    await serving.listen();
    standby = startSupervisor(program, settings);
    process.stdout.write(
      `sandbox at http://${settings.hostname}:${settings.port}, isolation ${settings.isolation}, pid ${serving.child.pid}\n`,
    );
    while (!stopping) {
      await Promise.race([asked, serving.exited]);
      if (stopping) break;
      const next = standby;
      process.stderr.write(`sandbox: supervisor ${serving.child.pid} ended; ${next.child.pid} takes over\n`);
      serving = next;
      standby = startSupervisor(program, settings);
      // One that cannot serve ends, and its end is seen in the next round.
      await serving.listen().catch((error: unknown) => {
        process.stderr.write(`sandbox: ${String(error)}\n`);
        serving.child.kill('SIGKILL');
        return delay(restMs);
      });
    }
  } finally {
    for (const { child, exited } of [serving, standby].filter((one) => one !== undefined)) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await Promise.race([exited, delay(10_000, undefined, { ref: false })]);
        child.kill('SIGKILL');
      }
    }
  }
};
