/** How a server that hangs is told from one that is busy. */
export interface HearingLimits {
  /** Time between two questions, milliseconds. */
  readonly everyMs: number;
  /** Questions in a row without an answer. */
  readonly misses: number;
}

/** A server answers `/v1/models` beside its work, within milliseconds; a minute of silence is a hang. */
const usual: HearingLimits = { everyMs: 5000, misses: 10 };

/**
 * Asks a server again and again whether it is there, however often it is called itself. Says so where it has been silent
 * for so long that it hangs: a process that is stopped, locked or spins answers nobody and does not end either.
 */
export const createHearing = (
  ask: () => Promise<boolean>,
  { everyMs, misses }: HearingLimits = usual,
): (() => Promise<string | undefined>) => {
  let askedAt = Number.NEGATIVE_INFINITY;
  let missed = 0;
  return async () => {
    if (performance.now() - askedAt < everyMs) return undefined;
    const answers = await ask();
    askedAt = performance.now();
    missed = answers ? 0 : missed + 1;
    return missed < misses ? undefined : `it lived, and did not answer ${missed} times in a row`;
  };
};
