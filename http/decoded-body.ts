import { brotliDecompressSync, unzipSync } from 'node:zlib';

const decoders: ReadonlyMap<string, typeof unzipSync> = new Map([
  ['gzip', unzipSync],
  ['x-gzip', unzipSync],
  ['deflate', unzipSync],
  ['br', brotliDecompressSync],
]);

/**
 * A body as it was before its `Content-Encoding`: some gateways compress although nobody asks for it.
 *
 * @throws Error where it is longer than `maxBytes`, or not in its encoding. One in an encoding that is not known stays as it
 * is.
 */
export const decodedBody = (bytes: Buffer, encoding: string | undefined, maxBytes: number): Buffer => {
  const decode = decoders.get(encoding?.trim().toLowerCase() ?? 'identity');
  return decode && bytes.length > 0 ? decode(bytes, { maxOutputLength: maxBytes }) : bytes;
};
