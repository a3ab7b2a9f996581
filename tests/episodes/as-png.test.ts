import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { asPng, needsPng } from '../../episodes/as-png.ts';
import { python } from '../datasets/python.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

const program = `
import sys
from PIL import Image
image = Image.new('RGB', (5, 3))
image.putdata([(x * 50, y * 100, 255 if (x + y) % 2 else 0) for y in range(3) for x in range(5)])
for mode in ['RGB', 'RGBA', 'L', 'P', '1']:
    made = image.convert(mode)
    for kind in ['bmp', 'tiff']:
        made.save(f'{sys.argv[1]}/{mode}.{kind}')
    made.convert('RGB').save(f'{sys.argv[1]}/{mode}.png')
`;

const pixels = (image: Uint8Array): Promise<Buffer> =>
  sharp(image).removeAlpha().toColourspace('srgb').raw().toBuffer();

test('a BMP and a TIFF of each mode of PIL have their pixels as PNG', async () => {
  const folder = await temporaryFolder();
  await python(program, folder);
  for (const mode of ['RGB', 'RGBA', 'L', 'P', '1']) {
    const wanted = await pixels(await readFile(join(folder, `${mode}.png`)));
    for (const kind of ['bmp', 'tiff']) {
      const bytes = await readFile(join(folder, `${mode}.${kind}`));
      expect(needsPng(bytes)).toBe(true);
      const png = await asPng(bytes);
      expect(Buffer.from(png.subarray(1, 4)).toString()).toBe('PNG');
      expect((await pixels(png)).equals(wanted), `${mode}.${kind}`).toBe(true);
      const torn = bytes.subarray(0, bytes.length - 4);
      if (kind === 'bmp') expect(await asPng(torn)).toBe(torn);
    }
  }
});
