import { LensmithError } from '../domain/errors.ts';

/** Waits for a write; a fault of the file system becomes a `storageFailure`, any other stays what it is. */
export const stored = async <Result>(path: string, writing: Promise<Result>): Promise<Result> => {
  try {
    return await writing;
  } catch (cause) {
    // Errors of Node's own have a code too, but no system call.
    if (cause instanceof Error && 'syscall' in cause) throw storageFailure(path, cause);
    throw cause;
  }
};

/** What a failed write means: a full disk, which no further try helps, or an outage of the storage. */
export const storageFailure = (path: string, cause: unknown): LensmithError => {
  if (cause instanceof LensmithError) return cause;
  const full = cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
  return full
    ? new LensmithError('disk_full', `the disk is full, ${path} cannot be written; make room and run again to go on`, {
        where: path,
        cause,
      })
    : new LensmithError('infrastructure', `${path} cannot be written: ${String(cause)}`, { where: path, cause });
};
