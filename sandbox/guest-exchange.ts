import { createAlarm } from './alarm.ts';
import type { GuestConnection } from './fork-server.ts';
import { type GuestMessage, sendFrame } from './frames.ts';

/** A reply that is waited for, so long from the one before it on. */
interface Expected {
  readonly limitMs: number;
  /** Of a call that went straight to the interpreter: the word that it is settled is an answer. */
  readonly isDirect: boolean;
  readonly resolve: (message: GuestMessage | undefined) => void;
}

/** Whether the guest says that a call is settled, and if so whether the next one may go straight to its interpreter. */
export const settledOf = (content: unknown): boolean | undefined =>
  typeof content === 'object' && content !== null && 'settled' in content && typeof content.settled === 'boolean'
    ? content.settled
    : undefined;

/**
 * Sends messages to a guest and gives the replies in their order; undefined where one did not come before its limit.
 * `onClose` is called once, at the connection's end or at `close`, past which the connection is another's.
 */
export const createGuestExchange = (connection: GuestConnection, onClose: () => void) => {
  const expected: Expected[] = [];
  let closed = false;
  let unsettled = 0;
  let isSettled = false;
  const resolveFirst = (message: GuestMessage | undefined): void => {
    expected.shift()?.resolve(message);
    if (expected[0]) limit.set(expected[0].limitMs);
  };
  const take = (message: GuestMessage): void => {
    const settled = settledOf(message.content);
    if (settled !== undefined) {
      unsettled -= 1;
      isSettled = settled && unsettled === 0;
      if (!expected[0]?.isDirect) return;
    }
    resolveFirst(message);
  };
  const limit = createAlarm(() => resolveFirst(undefined));
  const close = (): void => {
    if (closed) return;
    closed = true;
    limit.stop();
    for (const { resolve } of expected.splice(0)) resolve(undefined);
    onClose();
  };
  connection.onMessage = take;
  connection.onClose = close;
  if (connection.socket.destroyed) close();
  const expect = (limitMs: number, isDirect: boolean): Promise<GuestMessage | undefined> =>
    new Promise((resolve) => {
      if (closed) {
        resolve(undefined);
        return;
      }
      expected.push({ limitMs, isDirect, resolve });
      if (expected.length === 1) limit.set(limitMs);
    });
  const ask = (
    message: Record<string, unknown>,
    limitMs: number,
    { parts, isDirect = false }: { parts?: readonly Buffer[]; isDirect?: boolean } = {},
  ): Promise<GuestMessage | undefined> => {
    const reply = expect(limitMs, isDirect);
    if (!closed) sendFrame(connection.socket, message, parts);
    return reply;
  };
  /** The guest says of each call, in whatever way it came, when it is settled. */
  const begin = (): void => {
    unsettled += 1;
    isSettled = false;
  };
  return {
    closed: () => closed,
    close,
    /** Asks for a session; with a call in it `resultOf` has to follow. */
    open: (config: Record<string, unknown>, limitMs: number, parts: readonly Buffer[]) =>
      ask(config, limitMs, { parts }),
    /** The result of the call that went with the opening. */
    firstResult: (limitMs: number) => {
      begin();
      return expect(limitMs, false);
    },
    /** Asks for a call and waits for its result. */
    call: (call: Record<string, unknown>, limitMs: number) => {
      begin();
      return ask(call, limitMs);
    },
    /** Whether the interpreter rests, and a call may go to it straight. */
    isSettled: () => isSettled && !closed,
    /** Has the guest follow a call that goes straight: its result where that does not come straight, or that it is settled. */
    follow: async (seconds: number, limitMs: number): Promise<'settled' | GuestMessage | undefined> => {
      begin();
      const reply = await ask({ direct: seconds }, limitMs, { isDirect: true });
      return reply && settledOf(reply.content) !== undefined ? 'settled' : reply;
    },
  };
};
