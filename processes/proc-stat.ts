import { readFileSync } from 'node:fs';

/** One process as the kernel describes it. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** Start time in clock ticks since boot: with the pid and the boot id it names a process for good. */
  readonly startTicks: number;
  /** Arguments joined with spaces, or the short name of a process without arguments. */
  readonly command: string;
}

/** The process ended meanwhile, or belongs to another user. */
const absences = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];

const readProc = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // A machine without memory or handles left cannot tell, and a process that lives would be taken for one that is gone.
    if (error instanceof Error && 'code' in error && absences.includes(String(error.code))) return undefined;
    throw error;
  }
};

/** A living process; undefined for one that is gone or only waits to be reaped by its parent. */
export const readProcess = (pid: number): ProcessInfo | undefined => {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The short name stands in brackets and may hold spaces and brackets itself.
  const nameEnd = stat.lastIndexOf(')');
  const [state, parent, , session, ...rest] = stat.slice(nameEnd + 2).split(' ');
  if (state === undefined || state === 'Z' || state === 'X') return undefined;
  const words = (readProc(`/proc/${pid}/cmdline`) ?? '').split('\0').filter((word) => word !== '');
  return {
    pid,
    parent: Number(parent),
    session: Number(session),
    startTicks: Number(rest[15]),
    command: words.length > 0 ? words.join(' ') : stat.slice(stat.indexOf('(') + 1, nameEnd),
  };
};

/** The environment that a process was started with; empty where it may not be read. */
export const readEnvironment = (pid: number): ReadonlyMap<string, string> => {
  const entries = (readProc(`/proc/${pid}/environ`) ?? '').split('\0').filter((entry) => entry.includes('='));
  return new Map(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
};

/** Changes with every boot, so that pids and start times of another boot are not mistaken for ours. */
export const readBootId = (): string => readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown';
