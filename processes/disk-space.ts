import { statfs } from 'node:fs/promises';
import { LensmithError } from '../domain/errors.ts';

const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;

/** Bytes that this user may still write on the file system of an existing folder. */
export const freeBytes = async (dir: string): Promise<number> => {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
};

/** @throws LensmithError `disk_full` where fewer than `bytes` are free in the folder's file system. */
export const ensureDiskSpace = async (dir: string, bytes: number, what: string): Promise<void> => {
  const free = await freeBytes(dir);
  if (free >= bytes) return;
  throw new LensmithError(
    'disk_full',
    `${what} needs ${mebibytes(bytes)} in ${dir}, where ${mebibytes(free)} are free; make room or choose another folder`,
    { where: dir },
  );
};
