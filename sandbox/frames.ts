import type { Socket } from 'node:net';

const maximumBytes = 512 * 1024 * 1024;

/** A message of the guest's protocol: JSON, and bytes that travel beside it as they are. */
export interface GuestMessage {
  readonly content: unknown;
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

/** The parts of those lengths that stand one after the other. */
const split = (all: Buffer, lengths: readonly number[]): Buffer[] => {
  let start = 0;
  return lengths.map((length) => {
    start += length;
    return all.subarray(start - length, start);
  });
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
  let lengths: readonly number[] = [];

  const next = (state: typeof reading, bytes: number): void => {
    if (bytes > mostBytes) throw new Error(`expected a frame of at most ${mostBytes} bytes, got ${bytes}`);
    reading = state;
    wanted = bytes;
  };
  const takeBody = (text: string): void => {
    content = JSON.parse(text);
    lengths = lengthsOf(content);
    if (lengths.length > 0) {
      next(
        'parts',
        lengths.reduce((sum, length) => sum + length, 0),
      );
      return;
    }
    next('length', 4);
    onMessage({ content, parts: [] });
  };
  const take = (part: Buffer): void => {
    if (reading === 'length') {
      next('body', part.readUInt32BE(0));
      return;
    }
    if (reading === 'body') {
      takeBody(part.toString('utf8'));
      return;
    }
    next('length', 4);
    onMessage({ content, parts: split(part, lengths) });
  };
  // Most messages are short, and come as a whole.
  const isWhole = (chunk: Buffer): boolean =>
    size === 0 && reading === 'length' && chunk.length > 4 && chunk.readUInt32BE(0) === chunk.length - 4;

  const takeChunk = (chunk: Buffer): void => {
    if (isWhole(chunk)) {
      takeBody(chunk.toString('utf8', 4));
    } else {
      chunks.push(chunk);
      size += chunk.length;
    }
    // Parts may have no bytes at all.
    while (size >= wanted) {
      const all = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
      const rest = all.subarray(wanted);
      chunks = rest.length > 0 ? [rest] : [];
      size = rest.length;
      take(all.subarray(0, wanted));
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
