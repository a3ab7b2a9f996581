/** Frees memory at once, where the collector would let it lie until there is much of it. */
export const freeMemory = (memory: ArrayBuffer): void => {
  memory.transfer(0);
};

/**
 * Shares what is to be released among `users`: once each has released its part `release` is called, and let go of.
 *
 * @returns Gives each user what it releases its part by; to call that again changes nothing.
 */
export const shareRelease = (users: number, release: () => void): (() => () => void) => {
  let left = users;
  let last: (() => void) | undefined = release;
  return () => {
    let holds = true;
    return () => {
      if (!holds) return;
      holds = false;
      left -= 1;
      if (left > 0) return;
      last?.();
      last = undefined;
    };
  };
};
