import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { artifactManifestSchema } from '../domain/artifact.ts';
import { forecastCheckpoints } from '../domain/checkpoint-forecast.ts';
import { LensmithError } from '../domain/errors.ts';
import { listCheckpoints } from '../processes/artifact.ts';
import { readJson } from '../processes/atomic-file.ts';
import { freeBytes } from '../processes/disk-space.ts';

/** Of the miniature, rounded up: it is built by its stage. */
export const miniatureParameters = 2_000_000;

/** Bytes of a safetensors header that are believed; real ones have some hundred kilobytes. */
const longestHeader = 100_000_000;

const headerSchema = z.record(z.string(), z.looseObject({ shape: z.array(z.number()).optional() }));

/**
 * Parameters of a safetensors file, by the shapes in its header: eight bytes of length, then that much JSON
 * (https://github.com/huggingface/safetensors#format).
 */
const safetensorsParameters = async (path: string): Promise<number> => {
  const file = await open(path, 'r');
  try {
    const length = Number((await file.read(Buffer.alloc(8), 0, 8, 0)).buffer.readBigUInt64LE());
    if (length > longestHeader) throw new Error(`${path} is no safetensors file`);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, 8);
    const header = headerSchema.parse(JSON.parse(buffer.toString('utf8')));
    return Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .reduce((sum, [, { shape = [] }]) => sum + shape.reduce((product, size) => product * size, 1), 0);
  } finally {
    await file.close();
  }
};

/** Parameters of the model in a folder, from the headers of its weights; of other formats two bytes each are assumed. */
export const modelParameters = async (folder: string): Promise<number> => {
  const names = await readdir(folder);
  const tensors = names.filter((name) => name.endsWith('.safetensors'));
  const counts = await Promise.all(tensors.map((name) => safetensorsParameters(join(folder, name)))).catch(() => []);
  if (counts.length > 0) return counts.reduce((sum, count) => sum + count, 0);
  const weights = names.filter((name) => /\.(safetensors|bin|pt|pth)$/.test(name));
  const sizes = await Promise.all(weights.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0) / 2;
};

/** Bytes of the files that a complete checkpoint's manifest lists. */
const checkpointBytes = async (path: string): Promise<number> =>
  (await readJson(join(path, 'manifest.json'), artifactManifestSchema)).files.reduce((sum, { size }) => sum + size, 0);

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

export interface DiskPlan {
  readonly stage: string;
  /** Folder of the stage's checkpoints; it exists. */
  readonly outputDir: string;
  readonly parameters: number;
  readonly steps: number;
  readonly saveEvery: number;
  readonly keep: number | null;
  readonly evaluated: boolean;
}

/**
 * Checks that what a stage will write fits on its disk, before it begins.
 *
 * @param free - Bytes that are free in the file system of a folder.
 * @throws LensmithError `disk_full` with the folder, the bytes that are needed and those that are free.
 */
export const ensureRoomForCheckpoints = async (
  plan: DiskPlan,
  free: (folder: string) => Promise<number> = freeBytes,
): Promise<void> => {
  const { stage, outputDir, keep } = plan;
  const existing = await listCheckpoints(outputDir);
  const newest = existing.at(-1);
  const forecast = forecastCheckpoints({
    ...plan,
    existing: existing.length,
    firstStep: newest?.step ?? 0,
    measuredBytes: newest ? await checkpointBytes(newest.path) : null,
  });
  const room = await free(outputDir);
  if (room >= forecast.bytes) return;
  throw new LensmithError(
    'disk_full',
    `${stage} needs ${gibibytes(forecast.bytes)} (${forecast.bytes} bytes) in ${outputDir}, where ${gibibytes(room)} (${room} bytes) ` +
      `are free: ${forecast.checkpoints} checkpoints of ${gibibytes(forecast.checkpointBytes)} at once beyond the ` +
      `${existing.length} there are, the model, and logs. Make room, choose another folder, or lower keepCheckpoints ` +
      `(${keep ?? 'null, which keeps all'}); then: lensmith resume`,
    { where: outputDir },
  );
};
