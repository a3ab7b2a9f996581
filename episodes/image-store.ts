import { createHash, hash as hashOnce } from 'node:crypto';
import type { ImageRef } from '../domain/episode.ts';
import { LensmithError } from '../domain/errors.ts';
import type { ProducedImage } from '../domain/sandbox.ts';
import { giveBytes } from '../sandbox/reused-bytes.ts';
import { Base64Text } from './base64-text.ts';
import { readImageHeader } from './image-header.ts';
import { createImageMemory } from './image-memory.ts';
import { isWholeImage } from './is-whole-image.ts';
import { ownTurn } from './own-turn.ts';
import { sliceBytes, slices } from './slices.ts';
import { isTiff, tiffAsPng } from './tiff-as-png.ts';

const mediaTypes = { png: 'image/png', jpeg: 'image/jpeg', webp: 'image/webp', gif: 'image/gif' } as const;

/** An encoded image. Its base64 is made once and kept once for all episodes of the process. */
export class StoredImage implements ImageRef {
  readonly digest: string;
  readonly width: number;
  readonly height: number;
  readonly mediaType: string;
  readonly base64: Base64Text;

  constructor(ref: ImageRef, mediaType: string, base64: Base64Text) {
    this.digest = ref.digest;
    this.width = ref.width;
    this.height = ref.height;
    this.mediaType = mediaType;
    this.base64 = base64;
  }

  /** The encoded bytes, decoded from base64 at each access. */
  get bytes(): Buffer {
    return this.base64.decoded();
  }
}

/** Holds the encoded images of an episode once each, by digest. */
export interface ImageStore {
  /**
   * Adds an input image, whose bytes are others' after that; a TIFF as PNG.
   *
   * @throws LensmithError `data` where it is no PNG, JPEG, WebP, GIF or TIFF, or is not there to its end.
   */
  add(bytes: Uint8Array): Promise<StoredImage>;
  /** Adds an image of the sandbox, whose size and digest are known. Its `bytes` are others' after that. */
  addProduced(image: ProducedImage): StoredImage;
  get(digest: string): StoredImage | undefined;
  /** Says that nobody needs these images any more, and no request with them is under way; they cannot be read then. */
  release(): void;
  /** Waits where images come faster than the disk takes those for which there is no memory. */
  room(): Promise<void>;
}

const mebibyte = 1024 * 1024;
let expected = 0;

/**
 * Bytes of base64 that images may have in memory. An episode takes a sandbox session, too, which has some 6 MiB while it
 * waits for the model: the fewer run at a time, the more of the same memory is there for long histories.
 */
const imageBudget = (): number => (expected === 0 ? 32 : Math.max(32, 96 - expected)) * mebibyte;

/** Says that so many episodes will run at a time, besides those of other callers, until what it returns is called. */
export const expectEpisodes = (count: number): (() => void) => {
  expected += count;
  return () => {
    expected -= count;
  };
};

const memory = createImageMemory<StoredImage>(imageBudget);

const wholeImage = async (bytes: Buffer): Promise<{ mediaType: string; width: number; height: number }> => {
  const header = await readImageHeader(bytes);
  if (header && isWholeImage(header.format, bytes)) {
    const { format, width, height } = header;
    return { mediaType: mediaTypes[format], width, height };
  }
  const began = isTiff(bytes) ? 'tiff' : header?.format;
  const came = began ? `the ${began} is damaged or cut off` : 'it begins as none of these does';
  throw new LensmithError(
    'data',
    `expected an image in PNG, JPEG, WebP, GIF or TIFF that is there to its end, got ${bytes.length} bytes: ${came}`,
  );
};

const digestOf = async (bytes: Buffer): Promise<string> => {
  if (bytes.length <= sliceBytes) return hashOnce('sha256', bytes);
  const hash = createHash('sha256');
  for await (const slice of slices(bytes)) hash.update(slice);
  return hash.digest('hex');
};

/** The same memory. */
const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

const textOf = (image: ProducedImage): Base64Text =>
  image.bytes ? Base64Text.atOnce(asBuffer(image.bytes)) : new Base64Text(image.data);

/** An empty store. Stores of one process share the images that they have in common. */
export const createImageStore = (): ImageStore => {
  const images = new Map<string, StoredImage>();
  const keep = (image: StoredImage): StoredImage => {
    images.set(image.digest, image);
    return image;
  };
  const known = (digest: string): StoredImage | undefined => {
    const found = images.get(digest) ?? memory.find(digest);
    return found && keep(found);
  };
  return {
    add: async (content) => {
      // The images of many episodes that begin together would hold up everything else.
      await ownTurn();
      const given = asBuffer(content);
      const bytes = isTiff(given) ? await tiffAsPng(given) : given;
      const digest = await digestOf(bytes);
      const found = known(digest);
      if (found) return found;
      const { mediaType, width, height } = await wholeImage(bytes);
      await memory.room();
      return keep(memory.keep(new StoredImage({ digest, width, height }, mediaType, await Base64Text.of(bytes))));
    },
    addProduced: (image) => {
      const stored = known(image.digest) ?? keep(memory.keep(new StoredImage(image, image.mediaType, textOf(image))));
      if (image.bytes) giveBytes(image.bytes);
      return stored;
    },
    get: (digest) => images.get(digest),
    release: () => {
      for (const image of images.values()) memory.release(image);
      images.clear();
    },
    room: memory.room,
  };
};

/** What a trace holds of an image. */
export const imageRef = ({ digest, width, height }: ImageRef): ImageRef => ({ digest, width, height });
