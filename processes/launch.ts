import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { LensmithError } from '../domain/errors.ts';
import { processIdVariable, runIdVariable } from './find-processes.ts';
import { inspect, launchVariable } from './inspect.ts';
import { exitPath, identify, type Ledger, logPath, writeLedger } from './ledger.ts';

export { type Inspection, inspect } from './inspect.ts';

const recordExit = fileURLToPath(new URL('record-exit.sh', import.meta.url));

export interface LaunchOptions {
  /** Unique among the programs that may live at one time: `<run>/<stage>/<attempt>`. */
  readonly id: string;
  readonly runId: string;
  readonly command: readonly string[];
  readonly cwd: string;
  /** Added to the environment of the launcher. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folder of the ledger, the exit code and `output.log`; no two programs share one. */
  readonly dir: string;
  readonly ports?: readonly number[];
  readonly fencingToken?: string;
}

const spawnDetached = async (options: LaunchOptions, ledger: Ledger): Promise<number> => {
  const log = await open(ledger.log, 'a');
  try {
    const child = spawn('/bin/sh', [recordExit, exitPath(options.dir), ledger.launch, ...options.command], {
      cwd: options.cwd,
      env: {
        ...process.env,
        ...options.env,
        [runIdVariable]: options.runId,
        [processIdVariable]: options.id,
        [launchVariable]: ledger.launch,
      },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await once(child, 'spawn');
    child.unref();
    if (child.pid === undefined) throw new Error('the system gave no pid');
    return child.pid;
  } catch (cause) {
    throw new LensmithError('infrastructure', `cannot start ${options.id} in ${options.cwd}: ${String(cause)}`, {
      where: options.cwd,
      cause,
    });
  } finally {
    await log.close();
  }
};

/**
 * Starts a program that outlives its launcher: in a session of its own, with its output appended to a log file, its
 * run and its id in its environment, and its exit code written to `exit.json` by a small shell around it.
 *
 * The intent is on disk before the program starts, its pid right after; {@link inspect} bridges a crash in between.
 *
 * @throws LensmithError `infrastructure` where the folder's program still runs, or the system cannot start one.
 */
export const launch = async (options: LaunchOptions): Promise<Ledger> => {
  await mkdir(options.dir, { recursive: true });
  const seen = await inspect(options.dir);
  if (seen.state === 'running')
    throw new LensmithError(
      'infrastructure',
      `${seen.ledger.id} still runs in ${options.dir} (pid ${seen.ledger.process?.pid}); stop it before another start`,
      { where: options.dir },
    );
  await rm(exitPath(options.dir), { force: true });
  const intent: Ledger = {
    version: 1,
    id: options.id,
    runId: options.runId,
    launch: randomUUID(),
    command: [...options.command],
    cwd: options.cwd,
    ports: [...(options.ports ?? [])],
    fencingToken: options.fencingToken ?? null,
    log: logPath(options.dir),
    launchedAt: new Date().toISOString(),
    process: null,
  };
  await writeLedger(options.dir, intent);
  const pid = await spawnDetached(options, intent);
  const ledger = { ...intent, process: identify(pid) ?? null };
  await writeLedger(options.dir, ledger);
  return ledger;
};
