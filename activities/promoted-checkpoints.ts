import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readJson } from '../processes/atomic-file.ts';
import type { Host } from './host.ts';
import { promotionRecordSchema } from './promote.ts';

/**
 * Paths of the checkpoints that a promotion record of this home names, and of those that the record of a run names.
 *
 * @param runDir - Folder of the run, whose own record counts also where the checkpoint was held.
 */
export const promotedCheckpoints = async (host: Pick<Host, 'home'>, runDir: string): Promise<Set<string>> => {
  const folder = join(host.home, 'promoted');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
  const files = [...names.map((name) => join(folder, name)), join(runDir, 'promotion.json')];
  const records = await Promise.all(files.map((file) => readJson(file, promotionRecordSchema).catch(() => undefined)));
  return new Set(records.flatMap((record) => (record ? resolve(record.checkpoint.path) : [])));
};
