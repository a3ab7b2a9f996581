import { readFileSync } from 'node:fs';
import type { ProcessInfo } from './proc-stat.ts';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // It ended meanwhile, or the kernel does not tell.
    return '';
  }
};

const field = (status: string, name: string): string =>
  new RegExp(`^${name}:\\s*(.+)$`, 'm').exec(status)?.[1]?.trim() ?? '?';

/** Clock ticks of a second, which Linux has fixed for user space. */
const ticksPerSecond = 100;

const cpuSeconds = (pid: number): string => {
  const stat = read(`/proc/${pid}/stat`);
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(words[11]) + Number(words[12]);
  return Number.isFinite(ticks) ? (ticks / ticksPerSecond).toFixed(1) : '?';
};

const row = ({ pid, parent, command }: ProcessInfo): string => {
  const status = read(`/proc/${pid}/status`);
  return [
    pid,
    parent,
    field(status, 'State'),
    `${cpuSeconds(pid)} s`,
    field(status, 'VmRSS'),
    `${field(status, 'Threads')} threads`,
    read(`/proc/${pid}/wchan`) || '-',
    command,
  ].join('\t');
};

/** A line a process: what state it is in, what it has used, and where in the kernel it waits. */
export const processTable = (processes: readonly ProcessInfo[]): string =>
  ['pid\tparent\tstate\tcpu\tmemory\tthreads\twaits in\tcommand', ...processes.map(row)].join('\n');
