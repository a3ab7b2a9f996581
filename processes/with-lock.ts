import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';

/** Binds a name in the kernel, which frees it when the process dies; undefined where another process holds it. */
const bind = (name: string): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    // A leading zero byte makes an abstract socket: it has no file that could stay behind.
    server.listen(`\0lensmith-${name}`, () => resolve(server));
  });

/** Takes a lock for as long as this process lives; false where another one of this host has it. */
export const tryLockForLife = async (name: string): Promise<boolean> => {
  const server = await bind(name);
  server?.unref();
  return server !== undefined;
};

/** Whether a process of this host holds a lock now. */
export const isLocked = async (name: string): Promise<boolean> => {
  const server = await bind(name);
  server?.close();
  return server === undefined;
};

/**
 * Runs one action of a name at a time over all processes of this host.
 *
 * @param name - At most 90 bytes.
 * @throws LensmithError `infrastructure` where the lock is not free within the deadline.
 */
export const withLock = async <Value>(
  name: string,
  action: () => Promise<Value>,
  deadlineMs = 60_000,
): Promise<Value> => {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const server = await bind(name);
    if (server) {
      try {
        return await action();
      } finally {
        server.close();
      }
    }
    if (Date.now() >= deadline)
      throw new LensmithError(
        'infrastructure',
        `another process has held the lock "${name}" for ${Math.round(deadlineMs / 1000)} s; wait for it or stop it`,
        { where: name },
      );
    await delay(100);
  }
};
