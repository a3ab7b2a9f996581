import { once } from 'node:events';
import { z } from 'zod';
import { isolationLevels } from '../domain/sandbox.ts';
import { listen } from './listen.ts';
import { openSandbox } from './open-sandbox.ts';
import { sandboxApi } from './sandbox-api.ts';

/** How a supervisor serves; it crosses to the process as JSON. */
export const supervisorSettingsSchema = z.strictObject({
  python: z.string(),
  hostname: z.string(),
  port: z.int().min(1).max(65_535),
  isolation: z.enum(isolationLevels),
  maxSessions: z.int().positive(),
  prepared: z.int().nonnegative(),
});
export type SupervisorSettings = z.infer<typeof supervisorSettingsSchema>;

/** What a supervisor tells its parent. */
export const supervisorNewsSchema = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ listening: z.literal(true) }),
  z.object({ failed: z.string() }),
]);

const tell = (news: z.infer<typeof supervisorNewsSchema>): void => {
  process.send?.(news);
};

/**
 * Runs one supervisor as a child process: it loads its sandbox, waits to be told to listen, and ends with its parent or
 * at SIGTERM.
 */
export const serveSandbox = async (given: unknown): Promise<void> => {
  const settings = supervisorSettingsSchema.parse(given);
  const ended = Promise.race([once(process, 'disconnect'), once(process, 'SIGTERM')]);
  const told = once(process, 'message');
  // The terminal sends it to the parent too, which decides.
  process.on('SIGINT', () => undefined);
  try {
    const sandbox = await openSandbox({ ...settings, spare: true });
    tell({ ready: true });
    try {
      const begins = await Promise.race([told.then(() => true), ended.then(() => false)]);
      if (!begins) return;
      const server = await listen(sandboxApi(sandbox), settings);
      tell({ listening: true });
      await ended;
      await server.close();
    } finally {
      await sandbox.close();
    }
  } catch (error) {
    tell({ failed: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
  } finally {
    if (process.connected) process.disconnect();
  }
};
