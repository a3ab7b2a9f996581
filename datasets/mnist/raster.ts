import { encode } from 'fast-png';

/** A grey image: `pixels[y * width + x]`, 0 is black. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Turns a square image counter-clockwise by a multiple of 90 degrees, without resampling. */
export const rotate = (image: Raster, degrees: number): Raster => {
  const { width: n, pixels } = image;
  const quarter = (((degrees / 90) % 4) + 4) % 4;
  const turned = new Uint8Array(pixels.length);
  for (let y = 0; y < n; y += 1)
    for (let x = 0; x < n; x += 1) {
      const source =
        quarter === 0
          ? y * n + x
          : quarter === 1
            ? x * n + (n - 1 - y)
            : quarter === 2
              ? (n - 1 - y) * n + (n - 1 - x)
              : (n - 1 - x) * n + y;
      turned[y * n + x] = pixels[source] ?? 0;
    }
  return { ...image, pixels: turned };
};

/** Puts images of one height side by side. */
export const row = (images: readonly Raster[]): Raster => {
  const height = images[0]?.height ?? 0;
  const width = images.reduce((sum, image) => sum + image.width, 0);
  const pixels = new Uint8Array(width * height);
  let left = 0;
  for (const image of images) {
    for (let y = 0; y < height; y += 1)
      pixels.set(image.pixels.subarray(y * image.width, (y + 1) * image.width), y * width + left);
    left += image.width;
  }
  return { width, height, pixels };
};

/** Encodes as an 8-bit grey PNG; the same pixels give the same bytes. */
export const toPng = ({ width, height, pixels }: Raster): Uint8Array =>
  encode({ width, height, data: pixels, channels: 1, depth: 8 }, { zlib: { level: 2 } });
