import { crc32 } from 'node:zlib';

const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Whether every chunk of a PNG is there and as its checksum says, up to `IEND`. */
const isWholePng = (bytes: Buffer): boolean => {
  if (!bytes.subarray(0, 8).equals(pngSignature)) return false;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (end + 4 > bytes.length || crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(end)) return false;
    if (bytes.toString('latin1', at + 4, at + 8) === 'IEND') return true;
    at = end + 4;
  }
  return false;
};

/** Whether a RIFF file is as long as its header says. */
const isWholeWebp = (bytes: Buffer): boolean => bytes.length >= 12 && bytes.length >= 8 + bytes.readUInt32LE(4);

/** Whether the last byte that is not padding is a GIF's end mark, behind the end of a block. */
const isWholeGif = (bytes: Buffer): boolean => {
  const last = bytes.findLastIndex((byte) => byte !== 0);
  return bytes[last] === 0x3b && bytes[last - 1] === 0;
};

const endOfJpeg = Buffer.from([0xff, 0xd9]);
const startOfScan = Buffer.from([0xff, 0xda]);

/** Whether a JPEG has an end mark behind its last scan: a thumbnail inside has an end mark of its own. */
const isWholeJpeg = (bytes: Buffer): boolean => {
  const end = bytes.lastIndexOf(endOfJpeg);
  return end >= 0 && bytes.indexOf(startOfScan, end) < 0;
};

/**
 * Whether an encoded image is there to its end. This reads the file's structure and decodes no pixel: decoding every
 * image would cost more than all else that is done for a sample.
 */
export const isWholeImage = (format: 'png' | 'jpeg' | 'webp' | 'gif', bytes: Buffer): boolean => {
  switch (format) {
    case 'png':
      return isWholePng(bytes);
    case 'jpeg':
      return isWholeJpeg(bytes);
    case 'webp':
      return isWholeWebp(bytes);
    case 'gif':
      return isWholeGif(bytes);
  }
};
