import { LensmithError } from '../domain/errors.ts';

/** What says that a path is wrong, and not that the storage is away for a while. */
const permanentCodes = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG'];

/**
 * Waits for the reading of a path that the run spec names.
 *
 * @param where - Key of the spec that names it.
 * @throws LensmithError `config` where there is no such thing, or it may not be read.
 */
export const readingNamed = async <T>(where: string, path: string, reading: Promise<T>): Promise<T> => {
  try {
    return await reading;
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && permanentCodes.includes(String(cause.code)))) throw cause;
    throw new LensmithError('config', `${path} cannot be read: ${cause.message}`, { where, cause });
  }
};
