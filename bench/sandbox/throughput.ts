import type { Subject } from './subject.ts';

/** How often an action ends in a second, with `side` of them at a time for `seconds`. */
const rateOf = async (side: number, seconds: number, action: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  let count = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - started < seconds * 1000) {
      await action();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: side }, worker));
  return (count * 1000) / (performance.now() - started);
};

/** Sessions a second, each opened, asked once and closed, and calls a second in `side` open sessions. */
export const measureThroughput = async (subject: Subject, side: number, seconds: number) => {
  const sessions = await rateOf(side, seconds, async () => (await subject.open()).close());
  const open = await Promise.all(Array.from({ length: side }, () => subject.open()));
  const free = [...open];
  const calls = await rateOf(side, seconds, async () => {
    const session = free.pop();
    await session?.call?.();
    if (session) free.push(session);
  });
  await Promise.all(open.map((session) => session.close()));
  return { sessions, calls };
};
