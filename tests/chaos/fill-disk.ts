import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

const isFull = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOSPC';

/** Leaves not a byte of a folder's file system free, until the returned function is called. */
export const fillDisk = async (folder: string): Promise<() => Promise<void>> => {
  const ballast = join(folder, '.ballast');
  const file = await open(ballast, 'w');
  try {
    for (let size = 1 << 20; size >= 1; ) {
      const { bytesWritten } = await file.write(Buffer.alloc(size)).catch((error: unknown) => {
        if (!isFull(error)) throw error;
        return { bytesWritten: 0 };
      });
      if (bytesWritten < size) size >>= 1;
    }
  } finally {
    await file.close();
  }
  return () => rm(ballast, { force: true });
};
