import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type Box, type Orientation, orientations } from '../../domain/image-location.ts';
import { boxInInput, intersectionOverUnion } from '../../scoring/effects/box.ts';
import { decodeGrey, type GreyImage, orient } from '../../scoring/effects/grey-image.ts';
import { locateImages } from '../../scoring/effects/locate-images.ts';
import { createLocator } from '../../scoring/effects/locator.ts';
import { compose, inverse } from '../../scoring/effects/orientation.ts';
import { callOf, turnOf } from '../support/traces.ts';

const anyOrientation = fc.constantFrom(...orientations);

/** Noise without a period: a mixing function of the place. */
const noise = (x: number, y: number): number => {
  let value = Math.imul(x + 1, 0x9e3779b1) ^ Math.imul(y + 1, 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  value = Math.imul(value ^ (value >>> 12), 0x297a2d39);
  return (value ^ (value >>> 15)) >>> 0;
};

/** A picture without symmetry: a slope, a bright blob and noise. */
const picture = (width: number, height: number): GreyImage => {
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const blob = (x - width / 4) ** 2 + (y - height / 3) ** 2 < (width / 8) ** 2 ? 80 : 0;
      pixels[y * width + x] = Math.min(255, Math.floor((90 * x) / width + blob + (noise(x, y) % 60)));
    }
  return { width, height, pixels };
};

const cut = (image: GreyImage, [left, top, right, bottom]: Box): GreyImage => {
  const [width, height] = [right - left, bottom - top];
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1)
    pixels.set(image.pixels.subarray((top + y) * image.width + left, (top + y) * image.width + right), y * width);
  return { width, height, pixels };
};

const png = ({ width, height, pixels }: GreyImage): Promise<Buffer> =>
  sharp(pixels, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();

const ref = (digest: string, { width, height }: GreyImage) => ({ digest, width, height });

/** Locates the last of images that code produced one after the other. */
const locateLast = (input: GreyImage, produced: readonly GreyImage[], code = 'img') => {
  const known = new Map([['input', input], ...produced.map((image, index) => [`made-${index}`, image] as const)]);
  const turns = produced.map((image, index) => turnOf('', callOf({ code, images: [ref(`made-${index}`, image)] })));
  const found = locateImages({ inputImages: [ref('input', input)], turns }, (digest) => known.get(digest));
  return found[`made-${produced.length - 1}`];
};

describe('orientations', () => {
  it('compose as they do on pixels', () => {
    const image = picture(9, 5);
    fc.assert(
      fc.property(anyOrientation, anyOrientation, (first, then) => {
        expect(orient(orient(image, first), then)).toEqual(orient(image, compose(first, then)));
      }),
    );
  });

  it('are undone by their inverse', () => {
    for (const orientation of orientations) expect(compose(orientation, inverse(orientation))).toBe('identity');
  });

  it('turn counter-clockwise, as PIL does: the right column of 2 x 1 becomes the upper row', () => {
    const image = { width: 2, height: 1, pixels: Uint8Array.of(10, 20) };
    expect(orient(image, 'rotate_90')).toEqual({ width: 1, height: 2, pixels: Uint8Array.of(20, 10) });
    expect(compose('flip_horizontal', 'flip_vertical')).toBe('rotate_180');
  });
});

describe('regions', () => {
  it('overlap as by hand: 50 of 150', () => {
    expect(intersectionOverUnion([0, 0, 10, 10], [5, 0, 15, 10])).toBeCloseTo(1 / 3, 12);
  });

  it('go back through a turn: the upper left of the turned image is the upper right of the shown one', () => {
    // 100 x 60 shown, turned by 90° counter-clockwise it is 60 x 100; its upper left 30 x 20 comes from the right edge.
    const frame = { input: 0, orientation: 'rotate_90', box: [0, 0, 100, 60] } as const;
    expect(boxInInput([0, 0, 30, 20], { width: 60, height: 100 }, { ...frame, box: [0, 0, 100, 60] })).toEqual([
      80, 0, 100, 30,
    ]);
  });
});

describe('locating what code produced', () => {
  const input = picture(160, 100);

  it.each(orientations)('finds the whole image in the orientation %s', (orientation) => {
    expect(locateLast(input, [orient(input, orientation)])).toEqual({ input: 0, orientation, box: [0, 0, 160, 100] });
  });

  it('finds any region in any orientation, pixel by pixel', () => {
    fc.assert(
      fc.property(
        anyOrientation,
        fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 60 })),
        fc.tuple(fc.integer({ min: 12, max: 50 }), fc.integer({ min: 12, max: 40 })),
        (orientation, [left, top], [width, height]) => {
          const box: Box = [left, top, left + width, top + height];
          expect(locateLast(input, [orient(cut(input, box), orientation)])).toEqual({ input: 0, orientation, box });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('follows a chain: turned, cropped, turned again, cropped', () => {
    const turned = orient(input, 'rotate_90');
    const crop = cut(turned, [10, 20, 90, 120]);
    const back = orient(crop, 'flip_vertical');
    const last = cut(back, [5, 5, 45, 35]);
    // Of the crop (100 high) the lower edge is up: rows 65 to 95 of it, columns 5 to 45; in the turned image 85 to 115
    // and 15 to 55; column x of the turned image is row x of the shown one, row y is column 160 − y.
    expect(locateLast(input, [turned, crop, back, last])).toEqual({
      input: 0,
      orientation: compose('rotate_90', 'flip_vertical'),
      box: [160 - 115, 15, 160 - 85, 55],
    });
  });

  it('finds an enlarged crop through the region that its code names, and only if the pixels agree', async () => {
    const box: Box = [40, 30, 80, 60];
    const large = await decodeGrey(
      await sharp(await png(cut(input, box)))
        .resize(130, 98, { kernel: 'cubic' })
        .png()
        .toBuffer(),
    );
    expect(locateLast(input, [large], 'c = img.crop((40, 30, 80, 60)).resize((130, 98))')).toMatchObject({ box });
    expect(locateLast(input, [large], 'c = img.crop((w // 4, 30, w / 2, 60)).resize((130, 98))')).toMatchObject({
      box,
    });
    expect(locateLast(input, [large], 'img.crop((100, 10, 140, 40))  # [40, 30, 80, 60]')).toBeNull();
  });

  it('says of a drawing, a flat image and a foreign one that they show no part of the input', () => {
    const foreign = orient(picture(64, 64), 'transpose');
    expect(locateLast(input, [foreign])).toBeNull();
    expect(locateLast(input, [{ width: 40, height: 40, pixels: new Uint8Array(1600).fill(200) }])).toBeNull();
  });

  it('survives JPEG: the same region by another encoder', async () => {
    const photo = await decodeGrey(
      await sharp(await png(input))
        .jpeg({ quality: 92 })
        .toBuffer(),
    );
    const turned = await decodeGrey(await png(orient(photo, 'rotate_270')));
    expect(locateLast(photo, [turned])).toMatchObject({ orientation: 'rotate_270' satisfies Orientation });
  });

  it('leaves out what it has no pixels of', () => {
    const turns = [turnOf('', callOf({ images: [ref('gone', input)] }))];
    expect(locateImages({ inputImages: [ref('input', input)], turns }, () => undefined)).toEqual({});
  });
});

describe('the locator', () => {
  it('looks in a thread that keeps no process alive', async () => {
    const file = fileURLToPath(new URL('../../scoring/effects/locator.ts', import.meta.url));
    const program = `
      const { createLocator } = await import(${JSON.stringify(file)});
      console.log(JSON.stringify(await createLocator().locate({ inputImages: [], turns: [] }, new Map())));`;
    const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', program], { timeout: 30_000 });
    expect(stdout).toBe('{}');
  });

  it('answers in order, however many wait', async () => {
    const locator = createLocator();
    const episode = { inputImages: [], turns: [] };
    const found = await Promise.all(Array.from({ length: 20 }, () => locator.locate(episode, new Map())));
    expect(found).toEqual(Array(20).fill({}));
    await locator.close();
  });

  it('fails what waits when it is closed', async () => {
    const locator = createLocator();
    const failed = expect(locator.locate({ inputImages: [], turns: [] }, new Map())).rejects.toMatchObject({
      type: 'infrastructure',
    });
    await locator.close();
    await failed;
  });
});
