import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { findByEnvironment, processIdVariable } from '../../processes/find-processes.ts';
import { type ProcessInfo, readEnvironment } from '../../processes/proc-stat.ts';
import { type StopResult, stopTree } from '../../processes/stop-tree.ts';
import { sweepFolders } from '../../sandbox/sweep-folders.ts';
import { readServices } from './read-services.ts';
import { forgetRestarts } from './restarts.ts';
import type { Service } from './service.ts';
import { rayDir, readyFile, serviceDir, serviceProcessId, stackId, supervisorName } from './stack-paths.ts';

const graceMs = { worker: 15_000, server: 5000 };

const tell = (write: (line: string) => void, name: string, { terminated, killed }: StopResult): void => {
  const total = terminated.length + killed.length;
  if (total === 0) return;
  const count = total === 1 ? '1 process' : `${total} processes`;
  write(`${name}: stopped (${count}${killed.length > 0 ? `, ${killed.length} had to be killed` : ''})`);
};

/** Living programs that runs of this home have started, by the id they carry. */
export const findPrograms = (home: string): Map<string, ProcessInfo[]> => {
  const programs = findByEnvironment({ LENSMITH_HOME: resolve(home) }).flatMap((info) => {
    const id = readEnvironment(info.pid).get(processIdVariable);
    return id === undefined || id.startsWith(`${stackId(home)}/`) ? [] : [{ id, info }];
  });
  const byId = Map.groupBy(programs, ({ id }) => id);
  return new Map([...byId].map(([id, found]) => [id, found.map(({ info }) => info)]));
};

/**
 * Stops the supervisor, then what starts programs, then the programs of runs, then the servers they use; returns when
 * no process of the stack lives.
 */
export const stopStack = async (home: string, write: (line: string) => void): Promise<void> => {
  const stop = async (name: string, role: Service['role'] = 'server') => {
    const stopped = await stopTree({
      processId: serviceProcessId(home, name),
      dir: serviceDir(home, name),
      graceMs: graceMs[role],
    });
    tell(write, name, stopped);
  };
  const services = (await readServices(home)).reverse();
  const ofRole = (role: Service['role']) => services.filter((service) => service.role === role);

  await stop(supervisorName);
  await Promise.all(ofRole('worker').map(({ name, role }) => stop(name, role)));
  await Promise.all(
    [...findPrograms(home).keys()].map(async (id) =>
      tell(write, id, await stopTree({ processId: id, graceMs: graceMs.worker })),
    ),
  );
  for (const { name } of ofRole('server')) await stop(name);
  tell(write, 'left over', await stopTree({ runId: stackId(home), graceMs: 1000 }));

  for (const { name } of services) {
    await forgetRestarts(home, name);
    await rm(readyFile(home, name), { force: true });
  }
  await rm(rayDir(home), { recursive: true, force: true });
  // Of workers and tool servers that were killed.
  await sweepFolders(tmpdir());
};
