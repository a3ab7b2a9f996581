import { execa } from 'execa';
import type { ProcessInfo } from '../../processes/proc-stat.ts';

const preference = 50;

/** Runs of digits after the last colon of an address. */
const portOf = (address = ''): number => Number(/:(\d+)$/.exec(address)?.[1] ?? Number.NaN);

/** Local TCP ports of processes: those they listen on, and those of their connections. */
export const portsOf = async (processes: readonly ProcessInfo[]): Promise<number[]> => {
  const { stdout } = await execa('ss', ['--no-header', '--tcp', '--all', '--numeric', '--processes']);
  const wanted = new Set(processes.map(({ pid }) => pid));
  const ports = stdout.split('\n').flatMap((line) => {
    const pids = [...line.matchAll(/pid=(\d+)/g)].map(([, pid]) => Number(pid));
    return pids.some((pid) => wanted.has(pid)) ? [portOf(line.trim().split(/\s+/)[3])] : [];
  });
  return [...new Set(ports)].filter(Number.isInteger);
};

const change = (ports: readonly number[], action: 'add' | 'del') =>
  execa('ip', ['-batch', '-'], {
    input: ports
      .flatMap((port) =>
        ['sport', 'dport'].map((side) => `rule ${action} pref ${preference} ipproto tcp ${side} ${port} lookup 100`),
      )
      .join('\n'),
  });

/** Lets no packet from or to these TCP ports arrive until the returned function is called. Connections stay open. */
export const cut = async (ports: readonly number[]): Promise<() => Promise<void>> => {
  await change(ports, 'add');
  return async () => {
    await change(ports, 'del');
  };
};
