import { EventEmitter, once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { type GuestMessage, readFrames, sendFrame } from '../../sandbox/frames.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

/** The two ends of a connection. */
const connected = async (): Promise<[Socket, Socket]> => {
  const place = join(await temporaryFolder(), 'frames.sock');
  const server = createServer();
  await once(server.listen(place), 'listening');
  onTestFinished(() => void server.close());
  const ours = createConnection(place);
  const [theirs] = (await once(server, 'connection')) as [Socket];
  for (const socket of [ours, theirs]) onTestFinished(() => void socket.destroy());
  return [ours, theirs];
};

const part = fc.uint8Array({ maxLength: 70_000 }).map((bytes) => Buffer.from(bytes));
const frame = fc.record({
  message: fc.dictionary(fc.stringMatching(/^[a-o]{1,5}$/), fc.oneof(fc.string(), fc.double(), fc.constant(null))),
  parts: fc.array(part, { maxLength: 4 }),
});

test('messages come out as they went in, with their parts', { timeout: 60_000 }, async () => {
  const [ours, theirs] = await connected();
  let arrived: GuestMessage[] = [];
  let wanted = 0;
  let complete: () => void = () => undefined;
  readFrames(theirs, (message) => {
    arrived.push(message);
    if (arrived.length === wanted) complete();
  });
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 5 }), async (frames) => {
      arrived = [];
      wanted = frames.length;
      const all = new Promise<void>((resolve) => {
        complete = resolve;
      });
      for (const { message, parts } of frames) sendFrame(ours, message, parts);
      await all;
      expect(arrived.map(({ parts }) => parts)).toEqual(frames.map(({ parts }) => parts));
      expect(arrived.map(({ content }) => content)).toEqual(
        frames.map(({ message, parts }) => ({
          ...(JSON.parse(JSON.stringify(message)) as Record<string, unknown>),
          ...(parts.length > 0 ? { parts: parts.map(({ length }) => length) } : {}),
        })),
      );
    }),
    { numRuns: 60 },
  );
});

/** What `sendFrame` writes. */
const written = ({ message, parts }: { message: Record<string, unknown>; parts: readonly Buffer[] }): Buffer => {
  const pieces: Buffer[] = [];
  const socket = { write: (piece: Buffer) => pieces.push(piece), cork: () => undefined, uncork: () => undefined };
  sendFrame(socket as unknown as Socket, message, parts);
  return Buffer.concat(pieces);
};

test('however messages are cut on their way, they come out whole, and what is behind one is known', () => {
  const cut = fc.record({
    frames: fc.array(frame, { minLength: 1, maxLength: 4 }),
    at: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
  });
  fc.assert(
    fc.property(cut, ({ frames, at }) => {
      const bytes = Buffer.concat(frames.map(written));
      const places = [0, ...at.map((share) => Math.round(share * bytes.length)).sort((a, b) => a - b), bytes.length];
      let end = 0;
      const ends = frames.map((each) => {
        end += written(each).length;
        return end;
      });
      const socket = new EventEmitter();
      const arrived: { parts: readonly Buffer[]; isBetween: boolean; upTo: number }[] = [];
      let upTo = 0;
      const reader = readFrames(socket as Socket, ({ parts }) =>
        arrived.push({ parts, isBetween: reader.isBetween(), upTo }),
      );
      for (const [index, place] of places.slice(1).entries()) {
        upTo = place;
        const piece = bytes.subarray(places[index], place);
        if (piece.length > 0) socket.emit('data', piece);
      }
      expect(arrived.map(({ parts }) => parts)).toEqual(frames.map(({ parts }) => parts));
      expect(arrived.map(({ isBetween }) => isBetween)).toEqual(
        arrived.map((each, index) => ends[index] === each.upTo),
      );
      expect(reader.isBetween()).toBe(true);
    }),
    { numRuns: 300 },
  );
});

const head = (length: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
};
const framed = (text: string): Buffer => Buffer.concat([head(Buffer.byteLength(text)), Buffer.from(text)]);

test.each([
  ['more than a message may have', head(0xff_ff_ff_ff)],
  ['no JSON', framed('{')],
  ['parts of less than no bytes', framed('{"parts":[-1]}')],
  ['parts of half a byte', framed('{"parts":[0.5]}')],
  ['parts that are none', framed('{"parts":"none"}')],
  ['parts without end', framed('{"parts":[9007199254740991]}')],
  ['parts that are too much together', framed(`{"parts":[${Array.from({ length: 64 }, () => 2 ** 28).join(',')}]}`)],
] as const)('a connection that sends %s is ended', async (_, bytes) => {
  const [ours, theirs] = await connected();
  const messages: GuestMessage[] = [];
  theirs.on('error', () => undefined);
  readFrames(theirs, (message) => messages.push(message));
  const ended = new Promise<void>((resolve) => theirs.once('close', () => resolve()));
  ours.write(bytes);
  await ended;
  expect(messages).toEqual([]);
});
