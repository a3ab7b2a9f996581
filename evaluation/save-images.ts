import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Episode } from '../domain/episode.ts';
import type { ImageStore } from '../episodes/image-store.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import { stored } from '../processes/storage-failure.ts';

/**
 * Keeps the images of an episode's trace as `<dir>/<digest>.<png|jpeg|webp|gif>`; what is there is left as it is.
 *
 * @throws LensmithError `disk_full` or `infrastructure` where they cannot be written.
 */
export const saveImages = async (episode: Episode, store: ImageStore, dir: string): Promise<void> => {
  const refs = [...episode.inputImages, ...episode.turns.flatMap(({ call }) => call?.images ?? [])];
  await stored(dir, mkdir(dir, { recursive: true }));
  for (const digest of new Set(refs.map((ref) => ref.digest))) {
    const image = store.get(digest);
    if (!image) continue;
    const file = join(dir, `${digest}.${image.mediaType.slice('image/'.length)}`);
    const exists = await stat(file).catch(() => undefined);
    if (exists) continue;
    await stored(file, writeFileAtomic(file, image.bytes));
  }
};
