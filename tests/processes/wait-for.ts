import { setTimeout as delay } from 'node:timers/promises';

/** Asks again until there is an answer; fails after the deadline. */
export const waitFor = async <Value>(
  what: string,
  ask: () => Promise<Value | undefined> | Value | undefined,
  deadlineMs = 20_000,
): Promise<Value> => {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await delay(25);
  }
};
