/** What a timer of Node takes; with more it rings at once. */
const mostMs = 2 ** 31 - 1;

/** Calls `onTime` once the time that was set last has passed; a timer of its own for each call would cost more. */
export const createAlarm = (onTime: () => void) => {
  let timer: NodeJS.Timeout | undefined;
  let dueMs = 0;
  let firesMs = 0;
  const arm = (): void => {
    clearTimeout(timer);
    firesMs = dueMs;
    timer = setTimeout(
      () => {
        timer = undefined;
        if (performance.now() >= dueMs) onTime();
        else arm();
      },
      Math.min(Math.max(1, dueMs - performance.now()), mostMs),
    );
    timer.unref();
  };
  return {
    /** From now, milliseconds. */
    set: (milliseconds: number): void => {
      dueMs = performance.now() + milliseconds;
      if (timer === undefined || dueMs < firesMs) arm();
    },
    stop: (): void => clearTimeout(timer),
  };
};
