/** Outages in a row after which nothing more is asked for a while. */
const outagesToOpen = 8;
const pauseMs = 30_000;

/**
 * Ends questions at once while the judge is away: a thousand of them would each wait for their own deadline. After the
 * pause one question tries whether it is back.
 */
export const createOutageBreaker = (now: () => number = () => performance.now()) => {
  let inARow = 0;
  let openUntil = 0;
  let last = '';
  let trying = false;
  return {
    /** Why a question should not be asked now; undefined where it may be. */
    refusal: (): string | undefined => {
      if (inARow < outagesToOpen) return undefined;
      if (!trying && now() >= openUntil) {
        trying = true;
        return undefined;
      }
      return `the judge did not answer the last ${inARow} questions, it is tried again later: ${last}`;
    },
    outage: (reason: string): void => {
      trying = false;
      inARow += 1;
      last = reason;
      if (inARow >= outagesToOpen) openUntil = now() + pauseMs;
    },
    answered: (): void => {
      trying = false;
      inARow = 0;
    },
  };
};
