import { randomUUID } from 'node:crypto';
import { close, openSync, read, readSync, unlinkSync, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Bytes on the disk. */
export interface Extent {
  /** Reads all of it without yielding, so it is for single images only. */
  bytes(): Buffer;
  /** Reads it piece by piece. */
  chunks(): AsyncGenerator<Buffer>;
  /** Gives the place back. It is not read afterwards. */
  release(): void;
}

interface Segment {
  readonly descriptor: number;
  used: number;
  live: number;
  isFull: boolean;
}

const chunkBytes = 64 * 1024;
const readAt = promisify(read);
const writeAt = promisify(write);

const openSegment = (): Segment => {
  const file = join(tmpdir(), `lensmith-spill-${randomUUID()}`);
  const descriptor = openSync(file, 'wx+', 0o600);
  // Without a name the file ends with the process, however that ends.
  unlinkSync(file);
  return { descriptor, used: 0, live: 0, isFull: false };
};

const closeWhenEmpty = ({ isFull, live, descriptor }: Segment): void => {
  if (isFull && live === 0) close(descriptor);
};

const extentOf = (segment: Segment, start: number, length: number): Extent => ({
  bytes: () => {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const count = readSync(segment.descriptor, bytes, at, length - at, start + at);
      if (count === 0) throw new Error(`expected ${length} bytes at ${start} of the spill file, got ${at}`);
      at += count;
    }
    return bytes;
  },
  chunks: async function* chunks() {
    for (let at = 0; at < length; ) {
      const size = Math.min(chunkBytes, length - at);
      const { bytesRead, buffer } = await readAt(segment.descriptor, Buffer.allocUnsafe(size), 0, size, start + at);
      if (bytesRead === 0) throw new Error(`expected ${length} bytes at ${start} of the spill file, got ${at}`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  },
  release: () => {
    segment.live -= 1;
    closeWhenEmpty(segment);
  },
});

/**
 * A place on the disk for what the memory has no room for. Extents lie one after the other in temporary files without a
 * name; a file is given up when it is full and none of its extents is held.
 */
export const createSpill = (segmentBytes = 64 * 1024 * 1024): { write(bytes: Buffer): Promise<Extent> } => {
  let current: Segment | undefined;

  const segmentFor = (length: number): Segment => {
    if (current && current.used + length > segmentBytes && current.used > 0) {
      current.isFull = true;
      closeWhenEmpty(current);
      current = undefined;
    }
    current ??= openSegment();
    return current;
  };

  return {
    write: async (bytes) => {
      const segment = segmentFor(bytes.length);
      const start = segment.used;
      segment.used += bytes.length;
      segment.live += 1;
      const extent = extentOf(segment, start, bytes.length);
      try {
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await writeAt(segment.descriptor, bytes, at, bytes.length - at, start + at);
          at += bytesWritten;
        }
        return extent;
      } catch (error) {
        extent.release();
        throw error;
      }
    },
  };
};
