import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LensmithError } from '../../domain/errors.ts';
import { assertPortFree } from '../../processes/free-port.ts';
import { inspect } from '../../processes/launch.ts';
import { withLock } from '../../processes/with-lock.ts';
import { awaitService } from './await-service.ts';
import { readServices, writeServices } from './read-services.ts';
import { forgetRestarts } from './restarts.ts';
import type { Service } from './service.ts';
import { serviceTable } from './service-table.ts';
import { rayDir, serviceDir, stackId } from './stack-paths.ts';
import { openStackState, type StackPorts, type StackState } from './stack-state.ts';
import { stopStack } from './stop-stack.ts';
import { findSupervisor, startSupervisor } from './supervisor-process.ts';

export interface StackUpOptions {
  readonly home: string;
  /** Receives one line for each thing that was done or found. */
  readonly write?: (line: string) => void;
  /** Ports to use instead of the usual ones; they must be free. */
  readonly ports?: Partial<StackPorts>;
  /** Names of the services to start; the others stay as they are. @default all */
  readonly only?: readonly string[];
  /** The programs of the stack. @default {@link serviceTable} */
  readonly table?: (state: StackState) => readonly Service[];
  /** Time until all are ready, milliseconds. @default 180000 */
  readonly deadlineMs?: number;
}

const runs = async (home: string, name: string): Promise<boolean> =>
  (await inspect(serviceDir(home, name))).state === 'running';

const anyRuns = async (home: string): Promise<boolean> => {
  const known = await Promise.all((await readServices(home)).map(({ name }) => runs(home, name)));
  return known.includes(true) || (await findSupervisor(home)) !== undefined;
};

const choose = (table: readonly Service[], only: readonly string[] | undefined): Service[] => {
  const unknown = (only ?? []).filter((name) => !table.some((service) => service.name === name));
  if (unknown.length > 0)
    throw new LensmithError(
      'config',
      `expected services among ${table.map(({ name }) => name).join(', ')}, got ${unknown.join(', ')}`,
    );
  return table.filter(({ name }) => only === undefined || only.includes(name));
};

const bringUp = async (home: string, options: StackUpOptions, write: (line: string) => void): Promise<StackState> => {
  const deadline = Date.now() + (options.deadlineMs ?? 180_000);
  const began = await anyRuns(home);
  const state = await openStackState(home, options.ports ?? {}, began);
  const table = (options.table ?? serviceTable)(state);
  const services = choose(table, options.only);

  for (const { name, ports } of services) {
    if (await runs(home, name)) continue;
    await forgetRestarts(home, name);
    for (const port of ports) await assertPortFree(port, name);
  }
  await mkdir(rayDir(home), { recursive: true, mode: 0o700 });
  const kept = (await findSupervisor(home)) ? await readServices(home) : [];
  const names = new Set([...services, ...kept].map(({ name }) => name));
  await writeServices(home, [
    ...table.filter(({ name }) => names.has(name)),
    ...kept.filter(({ name }) => !table.some((service) => service.name === name)),
  ]);

  const known = await findSupervisor(home);
  const supervisor = known ?? (await startSupervisor(home));
  write(`supervisor: ${known ? 'runs' : 'started'} (pid ${supervisor.process?.pid})`);
  try {
    await Promise.all(
      services.map(async (service) => {
        const found = await runs(home, service.name);
        const start = Date.now();
        const pid = await awaitService(home, service, deadline);
        const how = found ? 'runs' : `ready after ${((Date.now() - start) / 1000).toFixed(1)} s`;
        write(`${service.name}: ${how} (pid ${pid})${service.address ? `, ${service.address}` : ''}`);
      }),
    );
  } catch (error) {
    if (!began) await stopStack(home, write);
    throw error;
  }
  return state;
};

/**
 * Starts the local stack, or finds it: a supervisor in a session of its own keeps Temporal, Ray, the workers and the
 * tool server up until `stackDown`. Returns when all are ready; a second call finds everything and changes nothing.
 *
 * @throws LensmithError `infrastructure` where a port is in use, or with the end of its log where a service ends at
 * once or is late. A stack that did not run before is stopped again then.
 */
export const stackUp = async (options: StackUpOptions): Promise<StackState> => {
  const home = resolve(options.home);
  return withLock(`${stackId(home)}-change`, () => bringUp(home, options, options.write ?? (() => undefined)), 300_000);
};
