import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LensmithError } from '../domain/errors.ts';
import type { ImageInput } from '../domain/sandbox.ts';

const mostBytes = 256 * 1024 * 1024;

/** Thrown where no image is kept under a digest: send its bytes. */
export class UnknownImageError extends LensmithError {
  constructor(digest: string) {
    super('data', 'expected the digest of an image that is kept; send its bytes again', { where: digest });
    this.name = 'UnknownImageError';
  }
}

/** Images of requests, found by their SHA-256 for the sessions after them. */
export interface KeptImages {
  /** @throws LensmithError `data` for a path that cannot be read, UnknownImageError for a digest that is not kept. */
  readonly bytesOf: (image: ImageInput) => Promise<Buffer>;
}

const received = async (image: Exclude<ImageInput, { digest: string }>): Promise<Buffer> => {
  if ('data' in image) return Buffer.from(image.data, 'base64');
  if ('bytes' in image) return Buffer.from(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength);
  return readFile(image.path).catch((cause: unknown) => {
    throw new LensmithError('data', `expected a readable image: ${String(cause)}`, { where: image.path, cause });
  });
};

/** Keeps the images that ask for it, up to `most` bytes, and of these the ones that were used last. */
export const keepImages = (most: number = mostBytes): KeptImages => {
  const kept = new Map<string, Buffer>();
  let total = 0;

  const drop = (digest: string): Buffer | undefined => {
    const content = kept.get(digest);
    kept.delete(digest);
    total -= content?.length ?? 0;
    return content;
  };
  const put = (digest: string, content: Buffer): void => {
    drop(digest);
    kept.set(digest, content);
    total += content.length;
    for (const oldest of kept.keys()) {
      if (total <= most) return;
      drop(oldest);
    }
  };

  return {
    bytesOf: async (image) => {
      if ('digest' in image) {
        const content = drop(image.digest);
        if (!content) throw new UnknownImageError(image.digest);
        put(image.digest, content);
        return content;
      }
      const content = await received(image);
      if (image.keep) put(createHash('sha256').update(content).digest('hex'), content);
      return content;
    },
  };
};
