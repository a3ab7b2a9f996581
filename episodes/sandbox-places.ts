import { availableParallelism } from 'node:os';

/** Somebody's turn at the sandbox, from the moment when it is asked for. */
export interface SandboxPlace {
  /** Resolves when it is there. */
  readonly ready: Promise<void>;
  /** Gives it back, or stops waiting for it. */
  leave(): void;
}

interface Waiting {
  readonly admit: () => void;
}

/**
 * Places for work in the sandbox, given in the order of asking. Who has a session open already comes first: it ends
 * sooner, and its memory with it.
 */
export const createSandboxPlaces = (most: number) => {
  const open: Waiting[] = [];
  const others: Waiting[] = [];
  let taken = 0;

  const admitNext = (): void => {
    while (taken < most) {
      const next = open.shift() ?? others.shift();
      if (!next) return;
      taken += 1;
      next.admit();
    }
  };

  return {
    enter: (hasSession: boolean): SandboxPlace => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const queue = hasSession ? open : others;
      let state: 'waits' | 'inside' | 'left' = 'waits';
      const waiting: Waiting = {
        admit: () => {
          state = 'inside';
          resolve();
        },
      };
      queue.push(waiting);
      admitNext();
      return {
        ready: promise,
        leave: () => {
          if (state === 'waits') queue.splice(queue.indexOf(waiting), 1);
          if (state === 'inside') taken -= 1;
          state = 'left';
          admitNext();
        },
      };
    },
  };
};

/**
 * The places of this process. More calls at once than the processors can run would serve none of them sooner: each
 * would take memory, and time that counts towards the limit of its call.
 */
export const sandboxPlaces = createSandboxPlaces(3 * availableParallelism());
