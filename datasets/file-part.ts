import { readSync } from 'node:fs';
import { setImmediate } from 'node:timers';
import { freeMemory } from './shared-memory.ts';

/** What the Parquet decoder uses of a `Blob`. */
export interface FilePart {
  readonly size: number;
  slice(start?: number, end?: number): FilePart;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * A part of an open file, for the Parquet decoder. The decoder copies what it gets before anything else has a turn, and
 * what it got is then freed: a thread that reads much and keeps nothing would otherwise hold 64 MB of it.
 */
export const filePart = (descriptor: number, first: number, size: number): FilePart => ({
  size,
  slice: (start = 0, end = size) => {
    const from = Math.min(Math.max(0, start), size);
    return filePart(descriptor, first + from, Math.max(0, Math.min(end, size) - from));
  },
  arrayBuffer: async () => {
    // With memory of its own, and not filled with zeros first.
    const bytes = Buffer.allocUnsafeSlow(size);
    for (let at = 0; at < size; ) {
      const count = readSync(descriptor, bytes, at, size - at, first + at);
      if (count === 0) throw new Error(`it ends after ${first + at} bytes`);
      at += count;
    }
    setImmediate(freeMemory, bytes.buffer);
    return bytes.buffer;
  },
});
