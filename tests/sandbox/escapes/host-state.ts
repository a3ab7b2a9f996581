import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A living process of the host. */
export interface HostProcess {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  readonly command: string;
  /** When it started, ticks of the host's clock. */
  readonly started: number;
}

/** The processes that /proc of the host shows, without zombies. */
export const hostProcesses = async (): Promise<HostProcess[]> => {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      const [state, parent] = fields;
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
      if (state === undefined || parent === undefined || state === 'Z' || state === 'X') return [];
      return [{ pid: Number(name), parent: Number(parent), state, command, started: Number(fields[19]) }];
    }),
  );
  return found.flat();
};

/** The living processes below one, itself not among them. */
export const descendantsOf = async (root: number): Promise<HostProcess[]> => {
  const all = await hostProcesses();
  const found: HostProcess[] = [];
  const pending = [root];
  for (let above = pending.pop(); above !== undefined; above = pending.pop()) {
    for (const process of all) {
      if (process.parent !== above) continue;
      found.push(process);
      pending.push(process.pid);
    }
  }
  return found;
};

/** How many descriptors a process has open; undefined where this user may not look. */
export const descriptorsOf = async (pid: number | 'self'): Promise<number | undefined> => {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => undefined);
  return names?.length;
};

/** Memory that processes hold together, bytes: what several share counts once. */
export const proportionalBytes = async (pids: readonly number[]): Promise<number> => {
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

const settings = [
  '/proc/self/mountinfo',
  '/proc/sys/kernel/core_pattern',
  '/proc/sys/kernel/hostname',
  '/proc/sys/kernel/pid_max',
  '/proc/sys/kernel/randomize_va_space',
  '/proc/sys/user/max_user_namespaces',
  '/proc/self/oom_score_adj',
];

/** Settings of the host's kernel that a privileged process could change. */
export const kernelSettings = async (): Promise<string[]> => {
  const texts = await Promise.all(settings.map((path) => readFile(path, 'utf8').catch(() => 'none')));
  return [...texts, await readlink('/proc/self/ns/uts')];
};

/** Names, sizes, modes, links and times of change of all that lies below a folder. */
export const folderState = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder, { recursive: true });
  const lines = await Promise.all(
    names.map(async (name) => {
      const { size, mode, nlink, mtimeMs } = await stat(join(folder, name));
      return `${name} ${size} ${mode} ${nlink} ${mtimeMs}`;
    }),
  );
  return lines.toSorted();
};
