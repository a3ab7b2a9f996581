import { setImmediate as othersTurn } from 'node:timers/promises';

/** Bytes of a slice; a multiple of three, so that the base64 of slices is the base64 of the whole. */
export const sliceBytes = 768 * 1024;

/** The slices of some bytes, without a copy. Before each but the first, whoever else waits has a turn. */
export async function* slices(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    if (at > 0) await othersTurn();
    yield bytes.subarray(at, at + sliceBytes);
  }
}
