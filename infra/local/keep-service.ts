import { mkdir, rm } from 'node:fs/promises';
import type { Inspection } from '../../processes/inspect.ts';
import { inspect, launch } from '../../processes/launch.ts';
import { stopTree } from '../../processes/stop-tree.ts';
import type { Liveness } from './liveness.ts';
import { isReady } from './probe.ts';
import { backOff, type Restarts, readRestarts, writeRestarts } from './restarts.ts';
import type { Service } from './service.ts';
import { readyFile, serviceDir, serviceProcessId, stackId } from './stack-paths.ts';

const settledMs = 60_000;
const graceMs = 5000;

type Ended = Extract<Inspection, { state: 'exited' | 'lost' }>;

const noteOf = (ended: Ended): string => {
  if (ended.state === 'lost') return 'its process is gone and left no exit code';
  return ended.signal ? `signal ${ended.signal}` : `exit code ${ended.code}`;
};

/** Counts an ending once; a service that ran for a while before it is not one that fails again and again. */
const countEnding = async (home: string, service: Service, ended: Ended, known: Restarts): Promise<Restarts> => {
  if (known.launch === ended.ledger.launch) return known;
  const settled = Date.now() - Date.parse(ended.ledger.launchedAt) > settledMs;
  const failures = settled ? 1 : known.failures + 1;
  const restarts: Restarts = {
    version: 1,
    endings: known.endings + 1,
    failures,
    launch: ended.ledger.launch,
    code: ended.state === 'exited' ? ended.code : null,
    note: noteOf(ended),
    notBefore: Date.now() + backOff(failures),
  };
  await writeRestarts(home, service.name, restarts);
  return restarts;
};

const start = async (home: string, service: Service): Promise<void> => {
  const { name } = service;
  const dir = serviceDir(home, name);
  // A head without its children, or children without their head, would be in the way of the next one.
  await stopTree({ processId: serviceProcessId(home, name), dir, graceMs });
  await rm(readyFile(home, name), { force: true });
  await launch({
    id: serviceProcessId(home, name),
    runId: stackId(home),
    command: service.command,
    cwd: service.cwd,
    env: { ...service.env, LENSMITH_READY_FILE: readyFile(home, name) },
    dir,
    ports: service.ports,
  });
};

/**
 * Looks at one service and does what is due: nothing while it lives; a stop where it lives and hangs; a start where it
 * is absent or its pause after an ending is over, and what it needs is ready.
 *
 * @returns What was done, in words; undefined where nothing was.
 */
export const keepService = async (
  home: string,
  service: Service,
  all: readonly Service[],
  liveness: Liveness,
): Promise<string | undefined> => {
  const dir = serviceDir(home, service.name);
  await mkdir(dir, { recursive: true });
  const seen = await inspect(dir);
  if (seen.state === 'running') {
    const hangs = await liveness.hangs(home, service, seen.ledger.launch);
    if (hangs === undefined) return undefined;
    await stopTree({ processId: serviceProcessId(home, service.name), dir, graceMs });
    return `stopped: ${hangs}`;
  }

  const known = await readRestarts(home, service.name);
  const restarts = seen.state === 'absent' ? known : await countEnding(home, service, seen, known);
  if (Date.now() < restarts.notBefore) return undefined;
  for (const needed of all.filter(({ name }) => service.after.includes(name)))
    if (!(await isReady(home, needed))) return undefined;
  await start(home, service);
  return restarts.endings === 0 ? 'started' : `started again after ${restarts.note}`;
};
