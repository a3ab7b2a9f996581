import sharp from 'sharp';
import { LensmithError } from '../../domain/errors.ts';
import type { Box, Orientation } from '../../domain/image-location.ts';
import { inverse, movePoint, swapsSides } from './orientation.ts';

/** Brightness of an image: `pixels[y * width + x]`, 0 to 255. */
export interface GreyImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

const maximumPixels = 100_000_000;

/**
 * Decodes an image to its brightness.
 *
 * @throws LensmithError `data` where it does not decode.
 */
export const decodeGrey = async (bytes: Uint8Array): Promise<GreyImage> => {
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels: maximumPixels })
      .flatten()
      .toColourspace('b-w')
      .extractChannel(0)
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, pixels: data };
  } catch (cause) {
    throw new LensmithError('data', `expected an image, got ${bytes.length} bytes: ${String(cause)}`, { cause });
  }
};

/** An image turned or mirrored, pixel by pixel. */
export const orient = (image: GreyImage, orientation: Orientation): GreyImage => {
  if (orientation === 'identity') return image;
  const turned = swapsSides(orientation);
  const [width, height] = turned ? [image.height, image.width] : [image.width, image.height];
  const back = inverse(orientation);
  const at = (column: number, row: number): number => {
    const [u, v] = movePoint(back, (column + 0.5) / width, (row + 0.5) / height);
    return Math.floor(v * image.height) * image.width + Math.floor(u * image.width);
  };
  // The map is linear, so its value at one pixel and its two steps are all of it.
  const start = at(0, 0);
  const right = width > 1 ? at(1, 0) - start : 0;
  const down = height > 1 ? at(0, 1) - start : 0;
  const pixels = new Uint8Array(width * height);
  for (let row = 0, write = 0; row < height; row += 1)
    for (let column = 0, read = start + row * down; column < width; column += 1, read += right, write += 1)
      pixels[write] = image.pixels[read] ?? 0;
  return { width, height, pixels };
};

/** A region at the size `columns` x `rows`; each value is the mean of at most 64 pixels of its cell. */
export const shrink = (image: GreyImage, box: Box, columns: number, rows: number): GreyImage => {
  const [left, top, right, bottom] = box;
  const pixels = new Uint8Array(columns * rows);
  const [cellWidth, cellHeight] = [(right - left) / columns, (bottom - top) / rows];
  const [across, down] = [
    Math.min(8, Math.max(2, Math.round(cellWidth))),
    Math.min(8, Math.max(2, Math.round(cellHeight))),
  ];
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      for (let j = 0; j < down; j += 1)
        for (let i = 0; i < across; i += 1) {
          const x = Math.min(
            image.width - 1,
            Math.max(0, Math.floor(left + (column + (i + 0.5) / across) * cellWidth)),
          );
          const y = Math.min(image.height - 1, Math.max(0, Math.floor(top + (row + (j + 0.5) / down) * cellHeight)));
          sum += image.pixels[y * image.width + x] ?? 0;
        }
      pixels[row * columns + column] = Math.round(sum / (across * down));
    }
  return { width: columns, height: rows, pixels };
};
