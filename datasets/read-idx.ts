import { readFile } from 'node:fs/promises';
import { LensmithError } from '../domain/errors.ts';

/** An IDX file of unsigned bytes: `shape` outermost first, `data` row-major. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/**
 * Reads an IDX file of unsigned bytes, as MNIST is distributed.
 *
 * @throws LensmithError `data` where the file is missing, is no IDX file, or is shorter than its header says.
 */
export const readIdx = async (path: string, dimensions: number): Promise<IdxArray> => {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new LensmithError('data', `expected a readable IDX file: ${String(cause)}`, { where: path, cause });
  });
  const header = 4 + 4 * dimensions;
  if (bytes.length < header || bytes.readUInt16BE(0) !== 0 || bytes[2] !== 0x08 || bytes[3] !== dimensions)
    throw new LensmithError('data', `expected an IDX file of unsigned bytes with ${dimensions} dimensions`, {
      where: path,
    });
  const shape = Array.from({ length: dimensions }, (_, index) => bytes.readUInt32BE(4 + 4 * index));
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== header + count)
    throw new LensmithError(
      'data',
      `expected ${header + count} bytes for the shape ${shape.join('×')}, got ${bytes.length}`,
      {
        where: path,
      },
    );
  return { shape, data: bytes.subarray(header) };
};
