import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type Raster, rotate, row, toPng } from '../../../datasets/mnist/raster.ts';
import { python } from '../python.ts';

const raster = (width: number, ...pixels: number[]): Raster => ({
  width,
  height: pixels.length / width,
  pixels: Uint8Array.from(pixels),
});

const square = fc
  .integer({ min: 1, max: 6 })
  .chain((n) =>
    fc.uint8Array({ minLength: n * n, maxLength: n * n }).map((pixels) => ({ width: n, height: n, pixels })),
  );

describe('rotate', () => {
  it('turns 2×2 counter-clockwise', () => {
    const image = raster(2, 1, 2, 3, 4);
    expect([...rotate(image, 90).pixels]).toEqual([2, 4, 1, 3]);
    expect([...rotate(image, 180).pixels]).toEqual([4, 3, 2, 1]);
    expect([...rotate(image, 270).pixels]).toEqual([3, 1, 4, 2]);
  });

  it('turns 3×3 counter-clockwise', () => {
    const image = raster(3, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect([...rotate(image, 90).pixels]).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7]);
    expect([...rotate(image, 180).pixels]).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect([...rotate(image, 270).pixels]).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
  });

  it('turns as PIL does', async () => {
    const code = `
from PIL import Image
image = Image.frombytes('L', (3, 3), bytes(range(9)))
print([[*image.rotate(turn).tobytes()] for turn in (0, 90, 180, 270)])`;
    const turned: unknown = JSON.parse(await python(code));
    const image = raster(3, 0, 1, 2, 3, 4, 5, 6, 7, 8);
    expect([0, 90, 180, 270].map((turn) => [...rotate(image, turn).pixels])).toEqual(turned);
  });

  it('and back by what is left of the full circle is the same image', () => {
    fc.assert(
      fc.property(square, fc.constantFrom(0, 90, 180, 270), (image, turn) => {
        expect([...rotate(rotate(image, turn), 360 - turn).pixels]).toEqual([...image.pixels]);
      }),
    );
  });
});

describe('row', () => {
  it('puts images side by side, from left to right', () => {
    expect(row([raster(1, 1, 2), raster(2, 3, 4, 5, 6)])).toEqual(raster(3, 1, 3, 4, 2, 5, 6));
  });
});

describe('toPng', () => {
  it('is a PNG that decodes to the same pixels', async () => {
    await fc.assert(
      fc.asyncProperty(square, async (image) => {
        const { data, info } = await sharp(toPng(image))
          .toColourspace('b-w')
          .raw()
          .toBuffer({ resolveWithObject: true });
        expect(info).toMatchObject({ width: image.width, height: image.height, channels: 1 });
        expect([...data]).toEqual([...image.pixels]);
      }),
      { numRuns: 30 },
    );
  });
});
