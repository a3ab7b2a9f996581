/**
 * Runs actions in the order in which they come, at most `side` at a time. One that takes longer than `longestMs` goes on,
 * but nobody waits for it any more.
 */
export const takeTurns = (side: number, longestMs: number) => {
  const queue: (() => void)[] = [];
  let free = side;
  const next = (): void => {
    const waiting = queue.shift();
    if (waiting) waiting();
    else free += 1;
  };
  return async <Value>(action: () => Promise<Value>): Promise<Value> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
    let held = true;
    const pass = (): void => {
      if (held) next();
      held = false;
    };
    const timer = setTimeout(pass, longestMs);
    timer.unref();
    try {
      return await action();
    } finally {
      clearTimeout(timer);
      pass();
    }
  };
};
