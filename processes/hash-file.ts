import { createHash } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { LensmithError } from '../domain/errors.ts';

/** Size in bytes and SHA-256 in hex of a file, which is flushed to disk on the way. */
export const hashFile = async (path: string): Promise<{ size: number; sha256: string }> => {
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 2 ** 20 })) {
      hash.update(chunk);
      size += chunk.length;
    }
    await file.sync();
    return { size, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
};

/** Paths of all files below a folder, relative to it, with `/` between the parts. */
export const listFiles = async (dir: string): Promise<string[]> => {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  return entries.flatMap((entry) => {
    if (entry.isDirectory()) return [];
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile())
      throw new LensmithError('data', `${path} is neither a file nor a folder; an artifact holds nothing else`, {
        where: path,
      });
    return [path.slice(dir.replace(/\/+$/, '').length + 1).replaceAll(sep, '/')];
  });
};
