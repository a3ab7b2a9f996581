import type { ProducedImage } from '../domain/sandbox.ts';

/** An image as the guest sent it. Its `bytes` are no part of its JSON, and `data` is encoded at each access. */
export const returnedImage = (image: Omit<ProducedImage, 'data' | 'bytes'>, bytes: Buffer): ProducedImage =>
  Object.defineProperty(
    {
      ...image,
      get data() {
        return bytes.toString('base64');
      },
    },
    'bytes',
    { value: bytes },
  );
