import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { ProcessInfo } from '../../processes/proc-stat.ts';
import { python } from './ground.ts';

const program = fileURLToPath(new URL('programs/cut.py', import.meta.url));

const linesOf = (table: string): string[] => {
  try {
    return readFileSync(table, 'utf8').trim().split('\n').slice(1);
  } catch {
    // A kernel without IPv6 has only one of the two.
    return [];
  }
};

/** Inodes of the sockets of a process; none where it has ended meanwhile. */
const socketsOf = ({ pid }: ProcessInfo): string[] => {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
};

/** Local TCP ports of processes: those they listen on, and those of their connections. */
export const portsOf = (processes: readonly ProcessInfo[]): number[] => {
  const sockets = new Set(processes.flatMap(socketsOf));
  // The columns are those of proc(5): the local address in hexadecimal, and the inode as the tenth.
  const ports = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(linesOf).flatMap((line) => {
    const [, local = '', , , , , , , , inode = ''] = line.trim().split(/\s+/);
    return sockets.has(inode) ? [Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16)] : [];
  });
  return [...new Set(ports)];
};

/** Lets no packet from or to these TCP ports arrive until the returned function is called. Connections stay open. */
export const cut = async (ports: readonly number[]): Promise<() => Promise<void>> => {
  await execa(python, [program, 'add', ...ports.map(String)]);
  return async () => {
    await execa(python, [program, 'del', ...ports.map(String)]);
  };
};
