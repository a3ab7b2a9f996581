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
      Math.max(1, dueMs - performance.now()),
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
