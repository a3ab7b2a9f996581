/** Frees memory at once, where the collector would let it lie until there is much of it. */
export const freeMemory = (memory: ArrayBufferLike): void => {
  if (memory instanceof ArrayBuffer) memory.transfer(0);
};

/**
 * Frees what `users` read together once each has said that it does so no more; every part of it is empty after that.
 *
 * @returns For each user what it says so by; to say it again changes nothing.
 */
export const shareMemory = (memory: ArrayBufferLike, users: number): (() => () => void) => {
  let left = users;
  return () => {
    let reads = true;
    return () => {
      if (!reads) return;
      reads = false;
      left -= 1;
      if (left === 0) freeMemory(memory);
    };
  };
};
