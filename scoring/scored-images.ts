import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Episode } from '../domain/episode.ts';
import { LensmithError } from '../domain/errors.ts';
import type { ScoredImage } from '../domain/score.ts';

/** The digests of an episode's images, the inputs first. */
export const digestsOf = ({ inputImages, turns }: Pick<Episode, 'inputImages' | 'turns'>): string[] =>
  [...inputImages, ...turns.flatMap(({ call }) => call?.images ?? [])].map(({ digest }) => digest);

/**
 * The bytes of the images of a request by digest.
 *
 * @throws LensmithError `data` where a file cannot be read or its bytes have another digest.
 */
export const scoredImages = async (images: readonly ScoredImage[]): Promise<Map<string, Uint8Array>> => {
  const found = new Map<string, Uint8Array>();
  for (const image of images) {
    const where = 'path' in image ? image.path : image.digest;
    const bytes =
      'data' in image
        ? Buffer.from(image.data, 'base64')
        : await readFile(image.path).catch((cause: unknown) => {
            throw new LensmithError('data', `expected a readable image: ${String(cause)}`, { where, cause });
          });
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (digest !== image.digest)
      throw new LensmithError('data', `expected the bytes of the image ${image.digest}, got others`, {
        where,
      });
    found.set(digest, bytes);
  }
  return found;
};
