import type { Socket } from 'node:net';
import { type FrameReader, type GuestMessage, sendFrame } from './frames.ts';

/** What a call or its result has at most; a longer one goes through the session's first process. */
const mostBytes = 64 * 1024;

/**
 * A line to the interpreter of a session: one short call at a time, and what it tells of it. Where anything comes that was
 * not asked for, the line is closed.
 */
export interface DirectLine {
  readonly isOpen: () => boolean;
  /** Whether a call may go over it. */
  readonly takes: (code: string) => boolean;
  /** Sends a call; undefined where the line closes before an answer, or has been. */
  readonly ask: (call: Record<string, unknown>) => Promise<GuestMessage | undefined>;
  /** What comes from here on is no answer; a line on which something has begun to is closed. */
  readonly rest: () => void;
  readonly close: () => void;
}

/** Makes a line of a socket that `reader` reads; its messages belong to `onMessage`. */
export const createDirectLine = (
  socket: Socket,
  reader: FrameReader,
): DirectLine & { readonly onMessage: (message: GuestMessage) => void } => {
  let expecting: ((message: GuestMessage | undefined) => void) | undefined;
  const answer = (message: GuestMessage | undefined): void => {
    const resolve = expecting;
    expecting = undefined;
    resolve?.(message);
  };
  const close = (): void => {
    socket.destroy();
    answer(undefined);
  };
  reader.limit(mostBytes);
  socket.once('close', close);
  return {
    isOpen: () => !socket.destroyed,
    takes: (code) => !socket.destroyed && code.length < mostBytes / 4,
    ask: (call) =>
      new Promise((resolve) => {
        expecting = resolve;
        if (socket.destroyed) answer(undefined);
        else sendFrame(socket, call);
      }),
    rest: () => {
      if (expecting || !reader.isBetween()) close();
    },
    close,
    onMessage: (message) => {
      if (!expecting || message.parts.length > 0 || !reader.isBetween()) close();
      else answer(message);
    },
  };
};
