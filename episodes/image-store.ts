import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { ImageRef } from '../domain/episode.ts';
import { LensmithError } from '../domain/errors.ts';
import type { ProducedImage } from '../domain/sandbox.ts';

const mediaTypes = { png: 'image/png', jpeg: 'image/jpeg', webp: 'image/webp', gif: 'image/gif' } as const;
type Format = keyof typeof mediaTypes;

/** An encoded image. `part` is its content part of a chat request as JSON text in UTF-8, made once. */
export interface StoredImage extends ImageRef {
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly part: Buffer;
}

/** Holds the encoded images of an episode once each, by digest. */
export interface ImageStore {
  /**
   * Adds an input image.
   *
   * @throws LensmithError `data` where it is no PNG, JPEG, WebP or GIF, or does not decode to its end.
   */
  add(bytes: Uint8Array): Promise<StoredImage>;
  /** Adds an image of the sandbox, whose size and digest are known. */
  addProduced(image: ProducedImage): StoredImage;
  get(digest: string): StoredImage | undefined;
}

const isFormat = (format: string | undefined): format is Format => format !== undefined && format in mediaTypes;

const decode = async (bytes: Buffer): Promise<{ mediaType: string; width: number; height: number }> => {
  try {
    const picture = sharp(bytes, { failOn: 'truncated' });
    const { format, width, height } = await picture.metadata();
    if (!isFormat(format)) throw new Error(`its format is ${format}`);
    // The header says nothing of a file that is cut off.
    await picture.stats();
    return { mediaType: mediaTypes[format], width, height };
  } catch (cause) {
    throw new LensmithError(
      'data',
      `expected an image in PNG, JPEG, WebP or GIF that decodes to its end, got ${bytes.length} bytes: ${String(cause)}`,
      { cause },
    );
  }
};

const contentPart = (mediaType: string, base64: string): Buffer =>
  Buffer.from(`{"type":"image_url","image_url":{"url":"data:${mediaType};base64,${base64}"}}`);

/** An empty store. */
export const createImageStore = (): ImageStore => {
  const images = new Map<string, StoredImage>();
  const keep = (stored: StoredImage): StoredImage => {
    images.set(stored.digest, stored);
    return stored;
  };
  return {
    add: async (content) => {
      const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
      const digest = createHash('sha256').update(bytes).digest('hex');
      const known = images.get(digest);
      if (known) return known;
      const size = await decode(bytes);
      return keep({ digest, ...size, bytes, part: contentPart(size.mediaType, bytes.toString('base64')) });
    },
    addProduced: ({ digest, mediaType, width, height, data }) =>
      images.get(digest) ??
      keep({
        digest,
        mediaType,
        width,
        height,
        bytes: Buffer.from(data, 'base64'),
        part: contentPart(mediaType, data),
      }),
    get: (digest) => images.get(digest),
  };
};

/** What a trace holds of an image. */
export const imageRef = ({ digest, width, height }: StoredImage): ImageRef => ({ digest, width, height });
