import { disableTypes, imageSize, types } from 'image-size';
import { loadSharp } from './load-sharp.ts';

/** What the head of an encoded image says; its size is that of the pixels, before any orientation in its EXIF data. */
export interface ImageHeader {
  readonly format: 'png' | 'jpeg' | 'webp' | 'gif';
  readonly width: number;
  readonly height: number;
}

const formats: Readonly<Record<string, ImageHeader['format']>> = {
  png: 'png',
  jpg: 'jpeg',
  jpeg: 'jpeg',
  webp: 'webp',
  gif: 'gif',
};

// What no server takes need not be read.
disableTypes(types.filter((type) => !(type in formats)));

const headerOf = (format: string | undefined, width: number, height: number): ImageHeader | undefined => {
  const known = formats[format ?? ''];
  return known && width > 0 && height > 0 ? { format: known, width, height } : undefined;
};

/** Takes a fiftieth of the time of a decoder, and gives up where segments are not as they should be. */
const readFast = (bytes: Buffer): ImageHeader | undefined => {
  try {
    const { type, width, height } = imageSize(bytes);
    return headerOf(type, width, height);
  } catch {
    return undefined;
  }
};

const readSlow = async (bytes: Buffer): Promise<ImageHeader | undefined> => {
  try {
    const sharp = await loadSharp();
    const { format, width, height } = await sharp(bytes).metadata();
    return headerOf(format, width, height);
  } catch {
    return undefined;
  }
};

/** Reads the head of an image; undefined where it is none of these formats, has no pixels, or no decoder takes it. */
export const readImageHeader = async (bytes: Buffer): Promise<ImageHeader | undefined> =>
  readFast(bytes) ?? (await readSlow(bytes));
