import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { datasetFiles } from '../datasets/dataset-files.ts';
import { readJson, writeFileAtomic } from '../processes/atomic-file.ts';
import { hashFile } from '../processes/hash-file.ts';
import { stored } from '../processes/storage-failure.ts';

const knownSchema = z.record(z.string(), z.strictObject({ size: z.int(), changedMs: z.number(), sha256: z.string() }));

/**
 * SHA-256 over names, sizes and digests of the files of a data set, in their order, as `sha256:<hex>`.
 *
 * @param cacheFile - Keeps the digests of the files; one whose size and time of change are the same is not read again.
 * @throws LensmithError `data` where there is no such data set, `disk_full` or `infrastructure` where `cacheFile` cannot
 * be written.
 */
export const datasetDigest = async (dataset: string, cacheFile: string): Promise<string> => {
  const known = await readJson(cacheFile, knownSchema).catch((): z.infer<typeof knownSchema> => ({}));
  const found: z.infer<typeof knownSchema> = {};
  const hash = createHash('sha256');
  for (const path of await datasetFiles(dataset)) {
    const { size, mtimeMs: changedMs } = await stat(path);
    const before = known[path];
    const isSame = before?.size === size && before.changedMs === changedMs;
    const { sha256 } = isSame ? before : await hashFile(path);
    found[path] = { size, changedMs, sha256 };
    hash.update(`${basename(path)} ${size} ${sha256}\n`);
  }
  await stored(cacheFile, writeFileAtomic(cacheFile, `${JSON.stringify(found, null, 2)}\n`));
  return `sha256:${hash.digest('hex')}`;
};
