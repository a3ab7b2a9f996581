import type { Socket } from 'node:net';
import { type PartsReceiver, receiveParts } from './receive-parts.ts';

const maximumBytes = 512 * 1024 * 1024;
const nothing = Buffer.alloc(0);

/** A message of the guest's protocol: JSON, and bytes that travel beside it as they are. */
export interface GuestMessage {
  readonly content: unknown;
  /** Whoever is done with one may give its memory back by `giveBytes`. */
  readonly parts: readonly Buffer[];
}

/**
 * Sends a message: four bytes of length, big-endian, then JSON, then the parts. Their lengths stand in the JSON as
 * `parts`.
 */
export const sendFrame = (socket: Socket, message: Record<string, unknown>, parts: readonly Buffer[] = []): void => {
  const lengths = parts.map(({ length }) => length);
  const body = JSON.stringify(parts.length > 0 ? { ...message, parts: lengths } : message);
  const length = Buffer.byteLength(body);
  const frame = Buffer.allocUnsafe(4 + length);
  frame.writeUInt32BE(length);
  frame.write(body, 4);
  if (parts.length === 0) {
    socket.write(frame);
    return;
  }
  socket.cork();
  socket.write(frame);
  for (const part of parts) socket.write(part);
  socket.uncork();
};

/** The lengths of the parts that follow a message; a schema would take longer than all else of a short message. */
const lengthsOf = (content: unknown): readonly number[] => {
  if (typeof content !== 'object' || content === null) throw new Error('expected an object');
  const { parts = [] } = content as { parts?: unknown };
  if (!Array.isArray(parts) || !parts.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw new Error('expected parts with a length each');
  }
  return parts;
};

/** Reads the messages of a socket. */
export interface FrameReader {
  /** Whether nothing of a further message has come. */
  readonly isBetween: () => boolean;
  /** Takes messages of at most so many bytes from here on. */
  readonly limit: (bytes: number) => void;
}

/**
 * Calls `onMessage` for each whole message of a socket, and destroys the socket at the first that is none: what a guest
 * sends is not trusted.
 */
export const readFrames = (socket: Socket, onMessage: (message: GuestMessage) => void): FrameReader => {
  let mostBytes = maximumBytes;
  let chunks: Buffer[] = [];
  let size = 0;
  let wanted = 4;
  let reading: 'length' | 'body' | 'parts' = 'length';
  let content: unknown;
  let receiver: PartsReceiver | undefined;

  const next = (state: typeof reading, bytes: number): void => {
    if (bytes > mostBytes) throw new Error(`expected a frame of at most ${mostBytes} bytes, got ${bytes}`);
    reading = state;
    wanted = bytes;
  };
  const keep = (rest: Buffer): void => {
    chunks = rest.length > 0 ? [rest] : [];
    size = rest.length;
  };
  /** Takes what has come of the parts, and keeps what is behind them. */
  const takeParts = (into: PartsReceiver, chunk: Buffer): void => {
    const rest = into.take(chunk);
    keep(rest ?? nothing);
    if (!rest) return;
    receiver = undefined;
    next('length', 4);
    onMessage({ content, parts: into.parts });
  };
  /** @param rest - What has come behind the body. */
  const takeBody = (text: string, rest: Buffer): void => {
    content = JSON.parse(text);
    const lengths = lengthsOf(content);
    if (lengths.length > 0) {
      next(
        'parts',
        lengths.reduce((sum, length) => sum + length, 0),
      );
      receiver = receiveParts(lengths);
      // They may have no bytes at all.
      takeParts(receiver, rest);
      return;
    }
    next('length', 4);
    onMessage({ content, parts: [] });
  };
  // Most messages are short, and come as a whole.
  const isWhole = (chunk: Buffer): boolean =>
    size === 0 && reading === 'length' && chunk.length > 4 && chunk.readUInt32BE(0) === chunk.length - 4;

  const takeChunk = (chunk: Buffer): void => {
    if (receiver) {
      takeParts(receiver, chunk);
    } else if (isWhole(chunk)) {
      takeBody(chunk.toString('utf8', 4), nothing);
    } else {
      chunks.push(chunk);
      size += chunk.length;
    }
    while (size >= wanted && !receiver) {
      const all = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
      const head = all.subarray(0, wanted);
      const rest = all.subarray(wanted);
      keep(rest);
      if (reading === 'length') next('body', head.readUInt32BE(0));
      else takeBody(head.toString('utf8'), rest);
    }
  };

  socket.on('data', (chunk: Buffer) => {
    try {
      takeChunk(chunk);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  return {
    isBetween: () => size === 0 && reading === 'length',
    limit: (bytes) => {
      mostBytes = bytes;
    },
  };
};
