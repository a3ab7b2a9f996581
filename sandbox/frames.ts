import type { Socket } from 'node:net';

const maximumBytes = 512 * 1024 * 1024;

/** Encodes a message of the guest's protocol: four bytes of length, big-endian, then JSON. */
export const encodeFrame = (message: unknown): Buffer => {
  const body = JSON.stringify(message);
  const length = Buffer.byteLength(body);
  const frame = Buffer.allocUnsafe(4 + length);
  frame.writeUInt32BE(length);
  frame.write(body, 4);
  return frame;
};

/**
 * Calls `onMessage` for each whole message of a socket, and destroys the socket at the first that is none: what a guest
 * sends is not trusted.
 */
export const readFrames = (socket: Socket, onMessage: (message: unknown) => void): void => {
  let chunks: Buffer[] = [];
  let size = 0;
  let wanted = 4;
  let inBody = false;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    while (size >= wanted) {
      const all = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
      const part = all.subarray(0, wanted);
      const rest = all.subarray(wanted);
      chunks = rest.length > 0 ? [rest] : [];
      size = rest.length;
      if (!inBody) {
        wanted = part.readUInt32BE(0);
        if (wanted > maximumBytes) {
          socket.destroy(new Error(`expected a frame of at most ${maximumBytes} bytes, got ${wanted}`));
          return;
        }
        inBody = true;
        continue;
      }
      inBody = false;
      wanted = 4;
      try {
        onMessage(JSON.parse(part.toString('utf8')));
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    }
  });
};
