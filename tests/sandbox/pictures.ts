import sharp from 'sharp';

/** A grey PNG of 28 x 28 pixels with values of 0 to 252, in base64. */
export const smallPng = async (): Promise<string> => {
  const pixels = Uint8Array.from({ length: 784 }, (_, index) => (index % 10) * 28);
  const image = sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } }).toColourspace('b-w');
  return (await image.png().toBuffer()).toString('base64');
};

/** The pixels of a PNG in base64, with how many channels they have. */
export const pixelsOf = async (png: string) => {
  const image = sharp(Buffer.from(png, 'base64'));
  const { channels } = await image.metadata();
  // Decoded, a grey image has three channels that are equal.
  const decoded = channels === 1 ? image.extractChannel(0) : image;
  return { channels, pixels: [...(await decoded.raw().toBuffer())] };
};
