import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readJson } from '../../processes/atomic-file.ts';
import { tryLockForLife } from '../../processes/with-lock.ts';
import { keepService } from './keep-service.ts';
import { createLiveness, type Liveness } from './liveness.ts';
import { type Service, servicesSchema } from './service.ts';
import { servicesPath, stackId } from './stack-paths.ts';

const pollMs = 500;

const say = (line: string): void => {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
};

/** One look never waits for another service's, and a service is not looked at twice at a time. */
const look = async (
  home: string,
  service: Service,
  all: readonly Service[],
  busy: Set<string>,
  liveness: Liveness,
): Promise<void> => {
  busy.add(service.name);
  try {
    const done = await keepService(home, service, all, liveness);
    if (done !== undefined) say(`${service.name}: ${done}`);
  } catch (error) {
    // The other services still need their supervisor; the next look tries again.
    say(`${service.name}: ${String(error)}`);
  } finally {
    busy.delete(service.name);
  }
};

const supervise = async (home: string): Promise<never> => {
  const busy = new Set<string>();
  const liveness = createLiveness();
  for (;;) {
    const { services } = await readJson(servicesPath(home), servicesSchema);
    for (const service of services) if (!busy.has(service.name)) void look(home, service, services, busy, liveness);
    await delay(pollMs);
  }
};

/**
 * `node supervisor.ts HOME`: keeps the services of `services.json` up. All that it has to know is on disk, so that one
 * that is started again takes over what runs.
 */
const home = process.argv[2];
if (home === undefined) throw new Error('expected the home as the argument');
if (!(await tryLockForLife(`${stackId(home)}-supervisor`))) throw new Error(`${home} has a supervisor already`);
say(`supervisor of ${resolve(home)}, pid ${process.pid}`);
await supervise(resolve(home));
