import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LensmithError } from '../domain/errors.ts';

/** Read of a large file: its header, in which GGUF and safetensors describe their tensors, and no weights of it all. */
const readBytes = 1024 * 1024;

const headOf = async (path: string): Promise<Buffer> => {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(readBytes), 0, readBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};

const filesOf = async (path: string): Promise<string[]> => {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => join(path, name))
    .sort();
};

/**
 * Tells a judge from others whatever it is served as: the name of its folder or file, and a digest over the names, sizes
 * and first megabytes of its files. Reading all of the weights would take minutes each time.
 *
 * @throws LensmithError `config` where the model cannot be read.
 */
export const judgeIdOf = async (model: string): Promise<string> => {
  const hash = createHash('sha256');
  try {
    for (const path of await filesOf(model)) {
      hash.update(`${basename(path)}\0${(await stat(path)).size}\0`);
      hash.update(await headOf(path));
    }
  } catch (cause) {
    throw new LensmithError('config', `expected the judge's model at ${model}: ${String(cause)}`, {
      where: 'judge.model',
      cause,
    });
  }
  return `${basename(model)}@${hash.digest('hex').slice(0, 12)}`;
};
