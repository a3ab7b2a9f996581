import { createHash } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { LensmithError } from '../domain/errors.ts';

const pieceBytes = 256 * 1024;

/** Size in bytes and SHA-256 in hex of a file, which is flushed to disk on the way. */
export const hashFile = async (path: string): Promise<{ size: number; sha256: string }> => {
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    let size = 0;
    // One piece is read while the one before is hashed. A stream takes new memory for each, which costs half of the hash.
    const [first, second] = [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)];
    for (let reading = file.read(first); ; ) {
      const { buffer, bytesRead } = await reading;
      if (bytesRead === 0) break;
      reading = file.read(buffer === first ? second : first);
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
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
