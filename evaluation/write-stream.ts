import { open, rename, rm } from 'node:fs/promises';

/** Replaces a file by content that comes in pieces: a reader sees the old content or all of the new one. */
export const writeStream = async (path: string, content: AsyncIterable<string | Uint8Array>): Promise<void> => {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};
