import { glob, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LensmithError } from '../domain/errors.ts';

/** Shards are numbered: `part-2` comes before `part-10`. */
const byName = new Intl.Collator('en', { numeric: true });

const filesAt = async (path: string): Promise<string[]> => {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return [path];
  const files: string[] = [];
  // The name of a folder is no pattern, whatever brackets it has.
  if (found?.isDirectory()) for await (const file of glob('**/*.parquet', { cwd: path })) files.push(join(path, file));
  else for await (const file of glob(path)) files.push(file);
  return files.sort(byName.compare);
};

/**
 * The Parquet files of a data set, absolute and in a stable order.
 *
 * @param path - A file, a folder with `.parquet` files, a glob, or several of these with commas between them.
 * @throws LensmithError `data` where a part names no file.
 * @example await datasetFiles('vstar.parquet'); await datasetFiles('rl/train-*.parquet'); await datasetFiles('rl/')
 */
export const datasetFiles = async (path: string): Promise<string[]> => {
  const parts = (await stat(path).catch(() => undefined)) ? [path] : path.split(',').map((part) => part.trim());
  const files: string[] = [];
  for (const part of parts.filter(Boolean)) {
    const found = await filesAt(part);
    if (found.length === 0)
      throw new LensmithError('data', `expected a Parquet file, a folder or a glob of them, got "${part}"`, {
        where: part,
      });
    files.push(...found.map((file) => resolve(file)));
  }
  return [...new Set(files)];
};
