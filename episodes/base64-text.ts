import { giveBytes, takeBytes } from '../sandbox/reused-bytes.ts';
import { slices } from './slices.ts';
import type { Extent } from './spill.ts';

/**
 * Bytes that are encoded or decoded at once, a multiple of 3 and of 4. A string of more has pages of its own, which cost
 * twice the time of the encoding.
 */
const stepBytes = 48 * 1024;

/** For the base64 of `bytes`. */
const roomFor = ({ length }: Buffer): Buffer => takeBytes(4 * Math.ceil(length / 3));

/** Writes the base64 of `bytes` to `text` from `start` on; returns how much it wrote. */
const encode = (bytes: Buffer, text: Buffer, start: number): number => {
  let at = start;
  for (let from = 0; from < bytes.length; from += stepBytes)
    at += text.write(bytes.toString('base64', from, from + stepBytes), at, 'latin1');
  return at - start;
};

/** Stands for a text that is gone: to read it would give another image's. */
const released: Extent = {
  bytes: () => {
    throw new Error('expected an image that is held, got one that was released');
  },
  // biome-ignore lint/correctness/useYield: there is nothing to give
  chunks: async function* chunks() {
    released.bytes();
  },
  release: () => undefined,
};

/** An image's base64, made once; it lies in memory, or on the disk once `moveTo` is done. */
export class Base64Text {
  /** Bytes of the text, which is ASCII. */
  readonly length: number;
  #place: Buffer | Extent;
  #moving = false;

  constructor(text: string | Buffer) {
    this.#place = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    this.length = this.#place.length;
  }

  /** Encodes bytes at once. */
  static atOnce(bytes: Buffer): Base64Text {
    const text = roomFor(bytes);
    encode(bytes, text, 0);
    return new Base64Text(text);
  }

  /** Encodes bytes; those of large ones slice by slice, for what takes long keeps others waiting. */
  static async of(bytes: Buffer): Promise<Base64Text> {
    const text = roomFor(bytes);
    let at = 0;
    for await (const slice of slices(bytes)) at += encode(slice, text, at);
    return new Base64Text(text);
  }

  /** The text, where it lies in memory. */
  get bytesInMemory(): Buffer | undefined {
    return Buffer.isBuffer(this.#place) ? this.#place : undefined;
  }

  /** The whole text; what lies on the disk is read without yielding, so it is for single images only. */
  text(): string {
    return this.#read().toString('latin1');
  }

  /** What the text, read as by `text`, stands for, in bytes of `takeBytes`. */
  decoded(): Buffer {
    const text = this.#read();
    const bytes = takeBytes(3 * Math.ceil(text.length / 4));
    let at = 0;
    for (let from = 0; from < text.length; from += stepBytes)
      at += bytes.write(text.toString('latin1', from, from + stepBytes), at, 'base64');
    return bytes.subarray(0, at);
  }

  /** The text in pieces; those of memory are not copied. */
  chunks(): Iterable<Buffer> | AsyncIterable<Buffer> {
    return Buffer.isBuffer(this.#place) ? [this.#place] : this.#place.chunks();
  }

  /** Writes the text to the disk and lets go of the memory; returns its place there. */
  async moveTo(disk: { write(bytes: Buffer): Promise<Extent> }): Promise<Extent> {
    const place = this.#place;
    if (!Buffer.isBuffer(place)) return place;
    this.#moving = true;
    const extent = await disk.write(place);
    // It may have been released meanwhile.
    if (this.#place === place) this.#place = extent;
    return extent;
  }

  /** Says that nobody reads the text any more: others write into its memory, where it has any. */
  release(): void {
    const place = this.#place;
    this.#place = released;
    // What is being written to the disk is still read there.
    if (Buffer.isBuffer(place) && !this.#moving) giveBytes(place);
  }

  #read(): Buffer {
    return Buffer.isBuffer(this.#place) ? this.#place : this.#place.bytes();
  }
}
