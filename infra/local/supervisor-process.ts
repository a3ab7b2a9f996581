import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, launch } from '../../processes/launch.ts';
import type { Ledger } from '../../processes/ledger.ts';
import { checkout, serviceDir, serviceProcessId, stackId, supervisorName } from './stack-paths.ts';

const program = fileURLToPath(new URL('supervisor.ts', import.meta.url));

/** The living supervisor of a home; undefined where there is none. */
export const findSupervisor = async (home: string): Promise<Ledger | undefined> => {
  const seen = await inspect(serviceDir(home, supervisorName));
  return seen.state === 'running' ? seen.ledger : undefined;
};

export const startSupervisor = (home: string): Promise<Ledger> =>
  launch({
    id: serviceProcessId(home, supervisorName),
    runId: stackId(home),
    command: [process.execPath, program, resolve(home)],
    cwd: checkout,
    env: { LENSMITH_HOME: resolve(home) },
    dir: serviceDir(home, supervisorName),
  });
