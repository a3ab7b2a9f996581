import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type ProcessInfo, readProcess } from './proc-stat.ts';

const listening = '0A';

const attempt = <Value>(read: () => Value, otherwise: Value): Value => {
  try {
    return read();
  } catch {
    // Files of processes that end meanwhile or belong to others cannot be read.
    return otherwise;
  }
};

const listeningSockets = (port: number): Set<string> => {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    attempt(() => readFileSync(table, 'utf8').split('\n').slice(1), []),
  );
  const inodes = rows
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(`:${hexPort}`) && columns[3] === listening)
    .flatMap((columns) => columns[9] ?? []);
  return new Set(inodes.map((inode) => `socket:[${inode}]`));
};

/** The process that listens on a TCP port of this host; undefined where none does or it may not be seen. */
export const findPortHolder = (port: number): ProcessInfo | undefined => {
  const sockets = listeningSockets(port);
  if (sockets.size === 0) return undefined;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const holder = pids.find((pid) =>
    attempt(() => readdirSync(`/proc/${pid}/fd`), []).some((descriptor) =>
      sockets.has(attempt(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`), '')),
    ),
  );
  return holder === undefined ? undefined : readProcess(Number(holder));
};
