import { Context } from '@temporalio/activity';

const beatMs = 2000;

/**
 * Wraps each activity of a table so that it beats while it works, however long its files take: the loss of its worker is
 * then noticed within the heartbeat's limit, and not at the end of the time that the work may take.
 */
export const withBeats = <T extends Record<string, (...args: never[]) => Promise<unknown>>>(table: T): T =>
  Object.fromEntries(
    Object.entries(table).map(([name, activity]) => [
      name,
      async (...args: never[]) => {
        const context = Context.current();
        const timer = setInterval(() => context.heartbeat(), beatMs);
        try {
          return await activity(...args);
        } finally {
          clearInterval(timer);
        }
      },
    ]),
  ) as T;
