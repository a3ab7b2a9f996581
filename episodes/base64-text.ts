import type { Extent } from './spill.ts';

/** An image's base64, made once; it lies in memory, or on the disk once `moveTo` is done. */
export class Base64Text {
  /** Bytes of the text, which is ASCII. */
  readonly length: number;
  #place: Buffer | Extent;

  constructor(text: string) {
    this.#place = Buffer.from(text, 'latin1');
    this.length = this.#place.length;
  }

  get inMemory(): boolean {
    return Buffer.isBuffer(this.#place);
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
