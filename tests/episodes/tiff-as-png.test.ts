import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { createImageStore } from '../../episodes/image-store.ts';
import { python } from '../datasets/python.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

const program = `
import sys
import numpy as np
from PIL import Image
image = Image.new('RGB', (5, 3))
image.putdata([(x * 50, y * 100, 255 if (x + y) % 2 else 0) for y in range(3) for x in range(5)])
for mode in ['RGB', 'RGBA', 'L', 'P', '1']:
    made = image.convert(mode)
    made.save(f'{sys.argv[1]}/{mode}.tiff')
    made.convert('RGB').save(f'{sys.argv[1]}/{mode}.png')
image.save(f'{sys.argv[1]}/turned.tiff', tiffinfo={274: 6})
image.transpose(Image.Transpose.ROTATE_270).save(f'{sys.argv[1]}/turned.png')
grey = np.arange(15, dtype=np.uint16).reshape(3, 5) * 17
Image.fromarray(grey * 257).save(f'{sys.argv[1]}/deep.tiff')
Image.fromarray(grey.astype(np.uint8)).save(f'{sys.argv[1]}/deep.png')
`;

const pixels = (image: Uint8Array): Promise<Buffer> =>
  sharp(image).removeAlpha().toColourspace('srgb').raw().toBuffer();

test('a TIFF of each kind has its pixels, upright, as PNG of 8 bits', async () => {
  const folder = await temporaryFolder();
  await python(program, folder);
  for (const name of ['RGB', 'RGBA', 'L', 'P', '1', 'turned', 'deep']) {
    const stored = await createImageStore().add(await readFile(join(folder, `${name}.tiff`)));
    const wanted = await readFile(join(folder, `${name}.png`));
    const { width, height } = await sharp(wanted).metadata();
    expect(stored, name).toMatchObject({ mediaType: 'image/png', width, height });
    expect((await sharp(stored.bytes).metadata()).depth, name).toBe('uchar');
    expect((await pixels(stored.bytes)).equals(await pixels(wanted)), name).toBe(true);
  }
});

test('a torn TIFF is refused', async () => {
  const bytes = await sharp({ create: { width: 50, height: 30, channels: 3, background: 'red' } })
    .tiff({ compression: 'none' })
    .toBuffer();
  await expect(createImageStore().add(bytes.subarray(0, bytes.length / 2))).rejects.toMatchObject({
    type: 'data',
    message: expect.stringContaining('the tiff is damaged or cut off'),
  });
});

test('a BMP is refused', async () => {
  await expect(createImageStore().add(Buffer.from('BM'.padEnd(54, '\0')))).rejects.toMatchObject({
    type: 'data',
    message: expect.stringContaining('expected an image in PNG, JPEG, WebP, GIF or TIFF'),
  });
});
