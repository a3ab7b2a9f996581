import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readProcess } from './proc-stat.ts';

/** Names of {@link writeFileAtomic} and of the trainers' `write_bytes_atomic`: the pid of the writer, and a random part. */
const temporaryName = /^\..+?\.(\d+)(?:\.[0-9a-f]{8})?\.tmp$/;

/** On a shared file system the writer may live on another host; it does not rest for so long. */
const restMs = 10_000;

const isAbandoned = async (path: string): Promise<boolean> => {
  const pid = Number(temporaryName.exec(basename(path))?.[1]);
  if (readProcess(pid) !== undefined) return false;
  const file = await stat(path).catch(() => undefined);
  return file?.isFile() === true && Date.now() - file.mtimeMs > restMs;
};

/**
 * Deletes the files below a folder that a writer was to rename and was killed before it did.
 *
 * @returns Their paths.
 */
export const sweepTemporary = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const swept: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    if (!temporaryName.test(basename(name)) || !(await isAbandoned(path))) continue;
    await rm(path, { force: true });
    swept.push(path);
  }
  return swept;
};
