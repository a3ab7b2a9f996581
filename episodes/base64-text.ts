import { slices } from './slices.ts';
import type { Extent } from './spill.ts';

/** An image's base64, made once; it lies in memory, or on the disk once `moveTo` is done. */
export class Base64Text {
  /** Bytes of the text, which is ASCII. */
  readonly length: number;
  #place: Buffer | Extent;

  constructor(text: string | Buffer) {
    this.#place = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    this.length = this.#place.length;
  }

  /** Encodes bytes; large ones slice by slice, for what takes long keeps others waiting. */
  static async of(bytes: Buffer): Promise<Base64Text> {
    const text = Buffer.allocUnsafe(4 * Math.ceil(bytes.length / 3));
    let at = 0;
    for await (const slice of slices(bytes)) at += text.write(slice.toString('base64'), at, 'latin1');
    return new Base64Text(text);
  }

  /** The text, where it lies in memory. */
  get bytesInMemory(): Buffer | undefined {
    return Buffer.isBuffer(this.#place) ? this.#place : undefined;
  }

  /** The whole text; what lies on the disk is read without yielding, so it is for single images only. */
  text(): string {
    return (Buffer.isBuffer(this.#place) ? this.#place : this.#place.bytes()).toString('latin1');
  }

  /** The text in pieces; those of memory are not copied. */
  chunks(): Iterable<Buffer> | AsyncIterable<Buffer> {
    return Buffer.isBuffer(this.#place) ? [this.#place] : this.#place.chunks();
  }

  /** Writes the text to the disk and lets go of the memory; returns its place there. */
  async moveTo(disk: { write(bytes: Buffer): Promise<Extent> }): Promise<Extent> {
    if (!Buffer.isBuffer(this.#place)) return this.#place;
    const extent = await disk.write(this.#place);
    this.#place = extent;
    return extent;
  }
}
