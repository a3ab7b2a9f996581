import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pixelsOf, smallPng } from './pictures.ts';
import { sharedSandbox } from './shared-sandbox.ts';

const { run } = sharedSandbox();

const shown = async (code: string, limits = {}) => {
  const [result] = await run({ limits }, code);
  expect(result).toMatchObject({ outcome: 'ok', error: null });
  return result?.images ?? [];
};

const onlyPixels = async (code: string) => {
  const [image] = await shown(code);
  return pixelsOf(image?.data ?? '');
};

test.each([
  ['floats of 0 to 1', 'np.array([[0.0, 0.5, 1.0, 7.0, -1.0, np.nan]])', [0, 128, 255, 255, 0, 0]],
  ['booleans', 'np.array([[True, False]])', [255, 0]],
  ['bytes', 'np.array([[0, 7, 255]], np.uint8)', [0, 7, 255]],
  ['wide integers, which are clipped', 'np.array([[-5, 7, 300]])', [0, 7, 255]],
  ['16 bits, which are scaled', 'np.array([[0, 256, 65535]], np.uint16)', [0, 1, 255]],
  ['16 bits that hold bytes', 'np.array([[0, 7, 255]], np.uint16)', [0, 7, 255]],
  ['one channel', 'np.full((1, 2, 1), 9, np.uint8)', [9, 9]],
])('a grey array of %s stays grey', async (_, code, pixels) => {
  expect(await onlyPixels(code)).toEqual({ channels: 1, pixels });
});

test.each([
  ['an array of colours', 'np.array([[[1, 2, 3]]], np.uint8)', { channels: 3, pixels: [1, 2, 3] }],
  ['an array with transparency', 'np.array([[[1, 2, 3, 0]]], np.uint8)', { channels: 3, pixels: [1, 2, 3] }],
  ['an RGBA image', 'Image.new("RGBA", (1, 1), (1, 2, 3, 9))', { channels: 3, pixels: [1, 2, 3] }],
  ['a palette image', 'Image.new("RGB", (1, 1), (250, 0, 0)).convert("P")', { channels: 3, pixels: [255, 0, 0] }],
  ['a grey image', 'Image.new("L", (1, 1), 9)', { channels: 1, pixels: [9] }],
  ['a black and white image', 'Image.new("1", (1, 1), 1)', { channels: 1, pixels: [255] }],
  ['a 16-bit image', 'Image.fromarray(np.full((1, 1), 65535, np.uint16))', { channels: 1, pixels: [255] }],
])('%s is returned as 8 bits without transparency', async (_, code, expected) => {
  expect(await onlyPixels(code)).toEqual(expected);
});

const size = fc.record({
  height: fc.integer({ min: 1, max: 90 }),
  width: fc.integer({ min: 1, max: 90 }),
  channels: fc.constantFrom(1, 3),
  step: fc.integer({ min: 0, max: 255 }),
});

test('a returned image has every pixel, whatever its size', { timeout: 60_000 }, async () => {
  const limits = { minimumSide: 1, imagesPerCall: 8 };
  await fc.assert(
    fc.asyncProperty(fc.array(size, { minLength: 1, maxLength: 8 }), async (sizes) => {
      const lines = sizes.map(({ height, width, channels, step }) => {
        const shape = channels === 1 ? [height, width] : [height, width, channels];
        // From all alike over stripes to what hardly gets smaller.
        return `display((np.arange(${height * width * channels}) ** 2 * ${step} // 7 % 256).astype(np.uint8).reshape(${shape.join(', ')}))`;
      });
      const images = await shown(lines.join('\n'), limits);
      expect(images.map(({ height, width }) => ({ height, width }))).toEqual(
        sizes.map(({ height, width }) => ({ height, width })),
      );
      for (const [index, { height, width, channels, step }] of sizes.entries()) {
        const pixels = Array.from(
          { length: height * width * channels },
          (_, at) => Math.floor((at * at * step) / 7) % 256,
        );
        expect(await pixelsOf(images[index]?.data ?? '')).toEqual({ channels, pixels });
      }
    }),
    { numRuns: 30 },
  );
});

// Each attribute but the pixels, which are compared as such.
const asOpened = `import os
opened = Image.open(os.path.abspath("input_image.jpg"))
opened.load()
names = (vars(opened).keys() | vars(input_image).keys()) - {"_im", "_fp"}
differing = sorted(name for name in names if repr(vars(opened).get(name)) != repr(vars(input_image).get(name)))
print(type(input_image) is type(opened), differing, np.array_equal(input_image, opened), opened.format)
`;

test.each([
  ['a JPEG', 'picture.save(file, "JPEG", dpi=(72, 72), comment=b"seen")', 'JPEG'],
  ['a JPEG of grey', 'picture.convert("L").save(file, "JPEG")', 'JPEG'],
  ['a JPEG in several steps', 'picture.save(file, "JPEG", progressive=True)', 'JPEG'],
  ['several pictures in one', 'picture.save(file, "MPO", save_all=True, append_images=[picture.rotate(90)])', 'MPO'],
  ['a PNG', 'picture.save(file, "PNG")', 'PNG'],
])('an input that is %s is what PIL opens', async (_, save, format) => {
  const picture = 'import base64, io\npicture = Image.effect_mandelbrot((64, 48), (-2, -1, 1, 1), 20).convert("RGB")\n';
  const made = `${picture}file = io.BytesIO()\n${save}\nprint(base64.b64encode(file.getvalue()).decode())`;
  const [encoded] = await run({ limits: { outputCharacters: 100_000 } }, made);
  expect(encoded).toMatchObject({ outcome: 'ok' });
  const [result] = await run({ images: [{ data: encoded?.stdout.trim() ?? '' }] }, asOpened);
  expect(result?.stdout).toBe(`True [] True ${format}\n`);
});

test('an image has its size and the digest of its bytes', async () => {
  const [image] = await shown('Image.new("RGB", (12, 7))');
  const digest = createHash('sha256')
    .update(Buffer.from(image?.data ?? '', 'base64'))
    .digest('hex');
  expect(image).toMatchObject({ width: 12, height: 7, mediaType: 'image/png', digest });
});

test('a small image is enlarged and a large one shrunk, with their ratio', async () => {
  const limits = { minimumSide: 28, maximumSide: 56 };
  const images = await shown('display(*(Image.new("L", size) for size in ((1, 1), (10, 20), (400, 100))))', limits);
  expect(images.map(({ width, height }) => [width, height])).toEqual([
    [28, 28],
    [28, 56],
    [56, 14],
  ]);
});

test.each([
  ['a figure left open', 'from matplotlib import pyplot as plt\nplt.plot([1, 2])\nprint("drawn")'],
  ['pyplot.show', 'from matplotlib import pyplot as plt\nplt.imshow(np.eye(3))\nplt.show()'],
  ['Image.show', 'Image.new("RGB", (640, 480)).show()'],
  ['display', 'display(Image.new("RGB", (640, 480)))'],
  ['a last expression', 'Image.new("RGB", (640, 480))'],
])('%s is one image', async (_, code) => {
  const images = await shown(code);
  expect(images).toMatchObject([{ width: 640, height: 480 }]);
});

test('a figure is shown once, not again in the next call', async () => {
  const [drawn, next] = await run({}, 'from matplotlib import pyplot as plt\n_ = plt.plot([1, 2])', 'print("next")');
  expect(drawn?.images).toHaveLength(1);
  expect(next).toMatchObject({ outcome: 'ok', images: [] });
});

test('a figure is shown whatever backend the code chose', async () => {
  const code =
    'import matplotlib\nmatplotlib.use("svg")\nimport matplotlib.pyplot as plt\nplt.figure(figsize=(2, 1), dpi=50)';
  expect(await shown(code)).toMatchObject([{ width: 100, height: 50 }]);
});

test('no more images come back than the limit', async () => {
  const images = await shown('for shade in range(50):\n    display(Image.new("L", (2, 2), shade))', {
    imagesPerCall: 3,
  });
  const shades = await Promise.all(images.map(async ({ data }) => (await pixelsOf(data)).pixels[0]));
  expect(shades).toEqual([0, 1, 2]);
});

test.each(['np.zeros(5)', 'np.zeros((2, 2, 2))', 'np.zeros((0, 4))', 'np.array([["a"]])'])(
  '%s is text',
  async (code) => {
    const [result] = await run({}, code);
    expect(result).toMatchObject({ outcome: 'ok', images: [] });
    expect(result?.stdout).toMatch(/^array\(/);
  },
);

test('an image without pixels, and one with too many, is an exception', async () => {
  const results = await run({}, 'Image.new("L", (0, 5))', 'Image.new("1", (9000, 9000))');
  expect(results.map(({ outcome, error }) => [outcome, error?.type])).toEqual([
    ['exception', 'ValueError'],
    ['exception', 'ValueError'],
  ]);
});

test('a failed call returns no images', async () => {
  const [result] = await run({}, 'display(Image.new("L", (2, 2)))\n1 / 0');
  expect(result).toMatchObject({ outcome: 'exception', images: [] });
});

test('an input that is no image is a data error', async () => {
  const data = Buffer.from('no image').toString('base64');
  await expect(run({ images: [{ data }] }, '1')).rejects.toMatchObject({ type: 'data', message: /decodes/ });
  await expect(run({ images: [{ path: '/nowhere/a.png' }] }, '1')).rejects.toMatchObject({
    type: 'data',
    where: '/nowhere/a.png',
  });
});

test('an input may not be named as a file elsewhere', async () => {
  const data = Buffer.from('x').toString('base64');
  await expect(run({ images: [{ data, name: '../a.png' }] }, '1')).rejects.toMatchObject({ type: 'data' });
});

test('two inputs may not have one name', async () => {
  const data = await smallPng();
  const refused = { type: 'data', message: expect.stringContaining('"input_image.jpg" twice') };
  await expect(run({ images: [{ data }, { data, name: 'input_image.jpg' }] }, '1')).rejects.toMatchObject(refused);
});

test('a call may show as many images as its limits allow, more than the system takes at once', async () => {
  const images = await shown('for at in range(1200):\n    display(np.full((28, 28), at % 256, np.uint8))', {
    imagesPerCall: 1200,
  });
  expect(images).toHaveLength(1200);
  expect(await pixelsOf(images[1023]?.data ?? '')).toMatchObject({ channels: 1 });
  expect((await pixelsOf(images[1030]?.data ?? '')).pixels[0]).toBe(1030 % 256);
});
