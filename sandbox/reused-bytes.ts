const smallest = 32 * 1024;
const largest = 8 * 1024 * 1024;
/** What lies idle is at most this much, bytes; what is given back above that is left to the collector. */
const mostIdle = 64 * 1024 * 1024;

const idle = new Map<number, ArrayBuffer[]>();
const lent = new WeakSet<ArrayBufferLike>();
let idleBytes = 0;

/** Four sizes for each doubling, so that at most a fifth of a buffer is unused. */
const sizeFor = (bytes: number): number => {
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 2);
  return Math.ceil(bytes / step) * step;
};

/**
 * A buffer of so many bytes, with whatever is in it, that `giveBytes` may give back. The bytes of an image are outside of
 * V8's heap: a new buffer for each takes fresh pages of the system, and after every 64 MB of them V8 looks through its
 * whole heap.
 */
export const takeBytes = (bytes: number): Buffer<ArrayBuffer> => {
  if (bytes < smallest || bytes > largest) return Buffer.allocUnsafe(bytes);
  const size = sizeFor(bytes);
  const found = idle.get(size)?.pop();
  if (found) idleBytes -= size;
  const memory = found ?? new ArrayBuffer(size);
  lent.add(memory);
  return Buffer.from(memory, 0, bytes);
};

/** Gives a buffer of `takeBytes` back for others to write into; any other buffer is left as it is. */
export const giveBytes = ({ buffer }: Uint8Array): void => {
  if (!(buffer instanceof ArrayBuffer) || !lent.delete(buffer)) return;
  const size = buffer.byteLength;
  if (idleBytes + size > mostIdle) return;
  const others = idle.get(size) ?? [];
  others.push(buffer);
  idle.set(size, others);
  idleBytes += size;
};
