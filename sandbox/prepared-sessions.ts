import { randomUUID } from 'node:crypto';
import type { ForkServer, GuestConnection } from './fork-server.ts';
import { sendFrame } from './frames.ts';
import { settledOf } from './guest-exchange.ts';

const restMs = 10;
/** One that makes ready for another session has this long, milliseconds. */
const againMs = 5000;
/** More than are wanted may be ready for this long: in a steady load they are taken at once, milliseconds. */
const surplusMs = 200;
/** Where sessions end this close to each other, what makes the first call of the next one faster is not worth its time. */
const loadMs = 25;

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
  /** Takes back one whose session has ended well: its namespaces serve another one, or end. */
  readonly giveBack: (session: PreparedSession) => void;
}

const isReadyAgain = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'again' in message && message.again === true;

/** Whether its line had to be closed: the next session would do without. */
const isCutOff = ({ line }: GuestConnection): boolean => line?.isOpen() === false;

/**
 * Keeps `count` sessions of a fork server ready: those that were given back, and new ones, made one after the other while
 * nobody waits.
 *
 * One that cannot be made is not tried again before the next `take`, which then meets the failure itself.
 */
export const prepareSessions = (server: ForkServer, count: number): PreparedSessions => {
  const ready: PreparedSession[] = [];
  const waiting: ((session: PreparedSession | undefined) => void)[] = [];
  let refilling = false;
  let returning = 0;
  let trimming = false;
  let endedMs = 0;

  const make = async (awaited: boolean): Promise<PreparedSession> => {
    const id = randomUUID();
    return { id, connection: await server.open(id, awaited) };
  };

  const discard = ({ id, connection }: PreparedSession): void => {
    connection.onClose = () => undefined;
    server.kill(id);
    connection.socket.destroy();
  };

  const trim = (): void => {
    trimming = false;
    for (const session of ready.splice(count)) discard(session);
  };

  const offer = (session: PreparedSession): void => {
    const taker = waiting.shift();
    if (taker) {
      taker(session);
      return;
    }
    session.connection.onClose = () => {
      const index = ready.indexOf(session);
      if (index >= 0) ready.splice(index, 1);
    };
    ready.push(session);
    if (ready.length <= count || trimming) return;
    trimming = true;
    setTimeout(trim, surplusMs).unref();
  };

  const refill = async (): Promise<void> => {
    if (refilling) return;
    refilling = true;
    try {
      while (server.alive() && ready.length + returning < count) offer(await make(false));
    } catch {
      // Whoever takes the next one is told why.
    } finally {
      refilling = false;
    }
  };

  // A fork would compete with the first call of the session that is taken.
  const refillSoon = (): void => void setTimeout(() => void refill(), restMs).unref();

  void refill();
  return {
    take: async () => {
      const session = ready.shift();
      refillSoon();
      if (session) return session;
      const another =
        returning > waiting.length
          ? await new Promise<PreparedSession | undefined>((resolve) => waiting.push(resolve))
          : undefined;
      return another ?? make(true);
    },
    giveBack: (session) => {
      const { connection } = session;
      connection.line?.rest();
      if (count === 0 || !server.alive() || connection.socket.destroyed || isCutOff(connection)) {
        discard(session);
        refillSoon();
        return;
      }
      returning += 1;
      const settle = (again: boolean): void => {
        clearTimeout(timer);
        connection.onMessage = () => undefined;
        connection.onClose = () => undefined;
        returning -= 1;
        // What the last session's code has sent since is read by now.
        connection.line?.rest();
        if (again && !isCutOff(connection)) {
          offer(session);
          return;
        }
        discard(session);
        // It was counted on when the pool was filled last.
        refillSoon();
        if (waiting.length > returning) waiting.shift()?.(undefined);
      };
      const timer = setTimeout(() => settle(false), againMs);
      timer.unref();
      connection.onMessage = ({ content }) => {
        // That its last call is settled may still come.
        if (settledOf(content) === undefined) settle(isReadyAgain(content));
      };
      connection.onClose = () => settle(false);
      const now = performance.now();
      sendFrame(connection.socket, { again: now - endedMs < loadMs ? 'soon' : 'later' });
      endedMs = now;
    },
  };
};
