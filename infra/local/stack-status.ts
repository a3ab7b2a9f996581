import { resolve } from 'node:path';
import { inspect } from '../../processes/launch.ts';
import { logPath } from '../../processes/ledger.ts';
import { isReady } from './probe.ts';
import { readServices } from './read-services.ts';
import { readRestarts } from './restarts.ts';
import type { Service } from './service.ts';
import { serviceDir } from './stack-paths.ts';
import { findPrograms } from './stop-stack.ts';
import { findSupervisor } from './supervisor-process.ts';

export interface StackStatusOptions {
  readonly home: string;
  /** Receives one line for each service and each program of a run. */
  readonly write?: (line: string) => void;
}

interface ServiceStatus {
  readonly name: string;
  readonly state: 'ready' | 'starting' | 'down';
  readonly line: string;
}

const statusOf = async (home: string, service: Service): Promise<ServiceStatus> => {
  const { name, address } = service;
  const seen = await inspect(serviceDir(home, name));
  const { endings, note } = await readRestarts(home, name);
  const ended = endings > 0 ? `, ended ${endings === 1 ? 'once' : `${endings} times`}, last by ${note}` : '';
  if (seen.state !== 'running')
    return { name, state: 'down', line: `${name}: down${ended}; log: ${logPath(serviceDir(home, name))}` };
  const state = (await isReady(home, service)) ? 'ready' : 'starting';
  const since = `since ${seen.ledger.launchedAt}`;
  return {
    name,
    state,
    line: [`${name}: ${state} (pid ${seen.ledger.process?.pid}, ${since}${ended})`, address].filter(Boolean).join(', '),
  };
};

/** Says what runs of a home's stack; true where its supervisor lives and every service is ready. */
export const stackStatus = async ({ home, write = () => undefined }: StackStatusOptions): Promise<boolean> => {
  const folder = resolve(home);
  const supervisor = await findSupervisor(folder);
  const services = await Promise.all((await readServices(folder)).map((service) => statusOf(folder, service)));
  if (!supervisor && services.every(({ state }) => state === 'down')) {
    write(`no stack runs in ${folder}; start it with "lensmith up"`);
  } else {
    write(
      `supervisor: ${supervisor ? `runs (pid ${supervisor.process?.pid})` : 'down; "lensmith up" starts it again'}`,
    );
    for (const { line } of services) write(line);
  }
  for (const [id, processes] of findPrograms(folder))
    write(`program ${id}: pid ${processes.map(({ pid }) => pid).join(', ')}`);
  return supervisor !== undefined && services.every(({ state }) => state === 'ready');
};
