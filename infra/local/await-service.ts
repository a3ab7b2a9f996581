import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../../domain/errors.ts';
import { inspect } from '../../processes/launch.ts';
import { logPath } from '../../processes/ledger.ts';
import { tailLines } from '../../processes/tail-file.ts';
import { isReady } from './probe.ts';
import { readRestarts } from './restarts.ts';
import type { Service } from './service.ts';
import { serviceDir, supervisorName } from './stack-paths.ts';
import { findSupervisor } from './supervisor-process.ts';

const pollMs = 250;
const patience = 2;
/** Shells say so of a command that they cannot run or find: another try gives the same. */
const hopelessCodes = [126, 127];

const failure = async (home: string, name: string, what: string): Promise<LensmithError> => {
  const log = logPath(serviceDir(home, name));
  const lines = await tailLines(log, 20).catch(() => []);
  const output = lines.length > 0 ? `the last lines of ${log}:\n${lines.join('\n')}` : `nothing is in ${log}`;
  return new LensmithError('infrastructure', `${name} ${what}; ${output}`, { where: log });
};

/**
 * Waits until a service is ready.
 *
 * @returns Its pid.
 * @throws LensmithError `infrastructure` with the last lines of its log where it ends before, or is late.
 */
export const awaitService = async (home: string, service: Service, deadline: number): Promise<number> => {
  for (;;) {
    const seen = await inspect(serviceDir(home, service.name));
    if (seen.state === 'running' && seen.ledger.process && (await isReady(home, service)))
      return seen.ledger.process.pid;

    const { failures, code, note } = await readRestarts(home, service.name);
    if (failures >= patience || (code !== null && hopelessCodes.includes(code)))
      throw await failure(home, service.name, `ended before it was ready (${note})`);
    if (!(await findSupervisor(home))) throw await failure(home, supervisorName, 'ended');
    if (Date.now() > deadline) throw await failure(home, service.name, 'was not ready in time');
    await delay(pollMs);
  }
};
