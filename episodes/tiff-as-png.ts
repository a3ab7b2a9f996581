import { loadSharp } from './load-sharp.ts';

/** Whether it begins as a TIFF, which data sets have and no server takes. */
export const isTiff = (bytes: Buffer): boolean => ['II*\0', 'MM\0*'].includes(bytes.toString('latin1', 0, 4));

/** The first page of a TIFF, upright, as PNG of 8 bits; one that does not decode comes back as it is. */
export const tiffAsPng = async (bytes: Buffer): Promise<Buffer> => {
  const sharp = await loadSharp();
  try {
    return await sharp(bytes, { failOn: 'truncated' }).autoOrient().toColourspace('srgb').png().toBuffer();
  } catch {
    return bytes;
  }
};
