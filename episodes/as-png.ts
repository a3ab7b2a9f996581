import { loadSharp } from './image-header.ts';
import { readBitmap } from './read-bitmap.ts';

const startsAs = (bytes: Uint8Array, ...starts: readonly string[]): boolean =>
  starts.some((start) => [...start].every((character, at) => bytes[at] === character.charCodeAt(0)));

/** Whether it begins as a BMP or a TIFF, which data sets have and no server takes. */
export const needsPng = (bytes: Uint8Array): boolean => startsAs(bytes, 'BM', 'II*\0', 'MM\0*');

/** A BMP, or the first page of a TIFF, as PNG of 8 bits; what does not decode comes back as it is. */
export const asPng = async (content: Uint8Array): Promise<Uint8Array> => {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const sharp = await loadSharp();
  try {
    if (!startsAs(bytes, 'BM'))
      return await sharp(bytes, { failOn: 'truncated' }).toColourspace('srgb').png().toBuffer();
    const pixels = readBitmap(bytes);
    if (!pixels) return content;
    const { width, height, data } = pixels;
    return await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
  } catch {
    return content;
  }
};
