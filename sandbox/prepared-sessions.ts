import { randomUUID } from 'node:crypto';
import type { ForkServer, GuestConnection } from './fork-server.ts';

const restMs = 10;

/** A session of the guest that nobody has configured yet. */
export interface PreparedSession {
  /** Its name in the guest. */
  readonly id: string;
  readonly connection: GuestConnection;
}

/** Keeps sessions ready, so that who opens one does not wait for a fork. */
export interface PreparedSessions {
  /** @throws LensmithError `infrastructure` where none is ready and none can be started. */
  readonly take: () => Promise<PreparedSession>;
}

/**
 * Keeps `count` sessions of a fork server ready, made one after the other while nobody waits.
 *
 * One that cannot be made is not tried again before the next `take`, which then meets the failure itself.
 */
export const prepareSessions = (server: ForkServer, count: number): PreparedSessions => {
  const ready: PreparedSession[] = [];
  let refilling = false;

  const make = async (awaited: boolean): Promise<PreparedSession> => {
    const id = randomUUID();
    return { id, connection: await server.open(id, awaited) };
  };

  const refill = async (): Promise<void> => {
    if (refilling) return;
    refilling = true;
    try {
      while (server.alive() && ready.length < count) {
        const session = await make(false);
        session.connection.onClose = () => {
          const index = ready.indexOf(session);
          if (index >= 0) ready.splice(index, 1);
        };
        ready.push(session);
      }
    } catch {
      // Whoever takes the next one is told why.
    } finally {
      refilling = false;
    }
  };

  void refill();
  return {
    take: async () => {
      const session = ready.shift();
      // A fork would compete with the first call of the session that is taken.
      setTimeout(() => void refill(), restMs).unref();
      return session ?? make(true);
    },
  };
};
