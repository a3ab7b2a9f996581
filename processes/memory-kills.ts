import { readFileSync } from 'node:fs';

/** Processes that the kernel has killed for memory on this host since it started; undefined where it does not say. */
export const countMemoryKills = (): number | undefined => {
  try {
    const [, count] = /^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8')) ?? [];
    return count === undefined ? undefined : Number(count);
  } catch {
    // A container may hide the file.
    return undefined;
  }
};
