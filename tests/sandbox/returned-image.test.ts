import { expect, test } from 'vitest';
import { returnedImage } from '../../sandbox/returned-image.ts';

test('an image that code returned has its bytes at hand, and in JSON only their base64', () => {
  const bytes = Buffer.from([137, 80, 78, 71, 0, 255]);
  const image = { digest: 'd', mediaType: 'image/png', width: 2, height: 1 } as const;
  const returned = returnedImage(image, bytes);
  expect(returned.bytes).toBe(bytes);
  expect(JSON.parse(JSON.stringify(returned))).toEqual({ ...image, data: 'iVBORwD/' });
});
