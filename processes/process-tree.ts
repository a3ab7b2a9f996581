import { findProcesses, listProcesses, type ProcessSelector, processIdVariable } from './find-processes.ts';
import type { LedgerProcess } from './ledger.ts';
import { livesStill } from './ledger.ts';
import { type ProcessInfo, readEnvironment } from './proc-stat.ts';

/** Whether a process is a program with an id, or was started by one. */
export const isOwnProgram = (pid: number): boolean => readEnvironment(pid).has(processIdVariable);

/**
 * The living processes of a program: those with its id in their environment, those of its session, and what they
 * started, even where that cleared its environment or left the session. A descendant with another id is a program of
 * its own (a training job below the worker that launched it), and neither it nor what it started belongs here.
 */
export const findTree = (selector: ProcessSelector, leader: LedgerProcess | null): ProcessInfo[] => {
  const found = new Map(findProcesses(selector).map((info) => [info.pid, info]));
  const others = listProcesses().filter(({ pid }) => !found.has(pid));

  if (leader && livesStill(leader)) {
    for (const info of others) if (info.session === leader.pid && !isOwnProgram(info.pid)) found.set(info.pid, info);
  }
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const info of others)
      if (!found.has(info.pid) && found.has(info.parent) && !isOwnProgram(info.pid)) found.set(info.pid, info);
  }
  return [...found.values()];
};
