import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hashFile } from '../../processes/hash-file.ts';
import { temporaryFolder } from './temporary-folder.ts';

test.each([0, 1, 256 * 1024, 256 * 1024 + 1, 1_000_003])(
  'a file of %i bytes has the digest of its bytes',
  async (size) => {
    const path = join(await temporaryFolder(), 'file');
    const bytes = randomBytes(size);
    await writeFile(path, bytes);
    expect(await hashFile(path)).toEqual({ size, sha256: createHash('sha256').update(bytes).digest('hex') });
  },
);
