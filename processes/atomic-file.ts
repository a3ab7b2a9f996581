import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import { syncFolder } from './sync-folder.ts';

/**
 * Replaces a file in one step: a reader sees the old content or the new one, also after a crash of the machine. Content
 * may come in pieces. The folder must exist.
 */
export const writeFileAtomic = async (
  path: string,
  content: string | Uint8Array | AsyncIterable<string | Uint8Array>,
): Promise<void> => {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx');
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
  await syncFolder(dirname(path));
};

const read = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new LensmithError('data', `expected a readable JSON file at ${path}: ${String(cause)}`, {
      where: path,
      cause,
    });
  }
};

const parse = (text: string, path: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LensmithError('data', `${path} is not JSON: ${String(cause)}`, { where: path, cause });
  }
};

/**
 * Reads a JSON file through its schema.
 *
 * @throws LensmithError `data` where the file is missing, is not JSON or does not fit the schema; the message names
 * the file and the field.
 */
export const readJson = async <Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> => {
  const parsed = schema.safeParse(parse(await read(path), path));
  if (parsed.success) return parsed.data;
  throw new LensmithError('data', `${path} does not have the expected content:\n${z.prettifyError(parsed.error)}`, {
    where: path,
    cause: parsed.error,
  });
};
