import { setImmediate as nextTurn } from 'node:timers/promises';

let last: Promise<void> = Promise.resolve();

/**
 * Resolves in a turn of the event loop that no other caller has, for work that takes long enough for others to notice:
 * several pieces of it in one turn would add up.
 */
export const ownTurn = (): Promise<void> => {
  last = last.then(() => nextTurn());
  return last;
};
