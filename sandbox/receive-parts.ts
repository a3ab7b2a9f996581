import { takeBytes } from './reused-bytes.ts';

/** The parts of a message as they come. */
export interface PartsReceiver {
  /** Those that are there to their end. Their memory is of `takeBytes`. */
  readonly parts: readonly Buffer[];
  /** Copies what belongs to the parts, and returns what is behind them; undefined while some of them is missing. */
  readonly take: (chunk: Buffer) => Buffer | undefined;
}

/** Receives parts of those lengths. A part has its memory once something of it has come, whatever length it is said to have. */
export const receiveParts = (lengths: readonly number[]): PartsReceiver => {
  const parts: Buffer[] = [];
  let current: Buffer | undefined;
  let filled = 0;
  return {
    parts,
    take: (chunk) => {
      let at = 0;
      while (parts.length < lengths.length) {
        const length = lengths[parts.length] ?? 0;
        if (at === chunk.length && filled < length) return undefined;
        current ??= takeBytes(length);
        const count = chunk.copy(current, filled, at);
        at += count;
        filled += count;
        if (filled === length) {
          parts.push(current);
          current = undefined;
          filled = 0;
        }
      }
      return chunk.subarray(at);
    },
  };
};
