import { open } from 'node:fs/promises';

/** Makes names that were made, changed or taken away in a folder outlive a crash of the machine. */
export const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};
