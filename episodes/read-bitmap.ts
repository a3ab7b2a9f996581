/** Pixels of an image, three bytes each, row by row from the top. */
export interface RgbPixels {
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;
}

const uncompressed = 0;
/** Of 32 bits the masks are those of no compression in every file that is seen. */
const masked = 3;

/** The place of the colour of a pixel, in blue, green and red. */
const colourPlace = (bytes: Buffer, row: number, x: number, bits: number, palette: number): number => {
  if (bits >= 24) return row + x * (bits / 8);
  const perByte = 8 / bits;
  const packed = bytes[row + Math.floor(x / perByte)] ?? 0;
  return palette + 4 * ((packed >> (8 - bits * ((x % perByte) + 1))) & (2 ** bits - 1));
};

/**
 * Decodes a BMP (BITMAPINFOHEADER and later) without compression, which no image library of ours does; undefined where
 * it is another kind of BMP, or cut off. Transparency is left out.
 */
export const readBitmap = (bytes: Buffer): RgbPixels | undefined => {
  if (bytes.length < 54) return undefined;
  const [start, header] = [bytes.readUInt32LE(10), bytes.readUInt32LE(14)];
  const [width, signedHeight] = [bytes.readInt32LE(18), bytes.readInt32LE(22)];
  const [bits, compression] = [bytes.readUInt16LE(28), bytes.readUInt32LE(30)];
  const height = Math.abs(signedHeight);
  const stride = Math.ceil((width * bits) / 32) * 4;
  const known = compression === uncompressed || (compression === masked && bits === 32);
  if (header < 40 || !known || ![1, 4, 8, 24, 32].includes(bits)) return undefined;
  if (width <= 0 || height === 0 || start + stride * height > bytes.length) return undefined;
  const data = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    const row = start + stride * (signedHeight < 0 ? y : height - 1 - y);
    for (let x = 0; x < width; x += 1) {
      const from = colourPlace(bytes, row, x, bits, 14 + header);
      const to = 3 * (y * width + x);
      data[to] = bytes[from + 2] ?? 0;
      data[to + 1] = bytes[from + 1] ?? 0;
      data[to + 2] = bytes[from] ?? 0;
    }
  }
  return { width, height, data };
};
