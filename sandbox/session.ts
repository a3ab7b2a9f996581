import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import {
  callErrorSchema,
  callOutcomes,
  type ExecutionRequest,
  type ExecutionResult,
  type Isolation,
  producedImageSchema,
  type SessionRequest,
} from '../domain/sandbox.ts';
import { createAlarm } from './alarm.ts';
import type { ForkServer, GuestConnection } from './fork-server.ts';
import { type GuestMessage, sendFrame } from './frames.ts';
import type { KeptImages } from './kept-images.ts';
import type { PreparedSessions } from './prepared-sessions.ts';
import { returnedImage } from './returned-image.ts';

/** The guest ends a call at its limit; past this it is taken for lost, and killed with all that it started. */
const graceMs = 8000;
const readyMs = 30_000;

const readySchema = z.object({ ready: z.boolean(), message: z.string().default('') });

const resultSchema = z.object({
  outcome: z.enum(callOutcomes),
  stdout: z.string(),
  stderr: z.string(),
  images: z.array(producedImageSchema.omit({ data: true })),
  error: callErrorSchema.nullable(),
  durationMs: z.number().nonnegative(),
});

/** A session of model code: calls share state as its request says, and one call runs at a time. */
export interface Session {
  readonly id: string;
  readonly isolation: Isolation;
  /**
   * Never throws for what the code does; `infrastructure` says that the sandbox was lost, and nothing of the code. The
   * last call's `executionId` again returns its result.
   *
   * @throws LensmithError `config` where the session was opened with another first call.
   */
  readonly execute: (request: ExecutionRequest) => Promise<ExecutionResult>;
  readonly close: () => Promise<void>;
  /** Calls `listener` once the session has ended, for whatever reason. */
  readonly onEnd: (listener: () => void) => void;
}

/** The result in a guest's message: the bytes of its images are the parts. */
const readResult = ({ content, parts }: GuestMessage) => {
  const { data } = resultSchema.safeParse(content);
  if (!data || data.images.length !== parts.length) return undefined;
  const images = data.images.map((image, index) => returnedImage(image, parts[index] ?? Buffer.alloc(0)));
  return { ...data, images };
};

const lost = (message: string, isolation: Isolation, durationMs: number): ExecutionResult => ({
  outcome: 'infrastructure',
  stdout: '',
  stderr: '',
  images: [],
  error: { type: 'SandboxLost', message, line: null, traceback: '' },
  durationMs,
  isolation,
});

const another = (id: string): LensmithError =>
  new LensmithError('config', 'expected the call that the session was opened with as its first one', { where: id });

/** A reply that is waited for, so long from the one before it on. */
interface Expected {
  readonly limitMs: number;
  readonly resolve: (message: GuestMessage | undefined) => void;
}

/**
 * Sends messages to a guest and gives the replies in their order; undefined where one did not come before its limit.
 * `onClose` is called once, at the connection's end or at `close`, past which the connection is another's.
 */
const createExchange = (connection: GuestConnection, onClose: () => void) => {
  const expected: Expected[] = [];
  let closed = false;
  const take = (message: GuestMessage | undefined): void => {
    expected.shift()?.resolve(message);
    if (expected[0]) limit.set(expected[0].limitMs);
  };
  const limit = createAlarm(() => take(undefined));
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
  const expect = (limitMs: number): Promise<GuestMessage | undefined> =>
    new Promise((resolve) => {
      if (closed) {
        resolve(undefined);
        return;
      }
      expected.push({ limitMs, resolve });
      if (expected.length === 1) limit.set(limitMs);
    });
  return {
    closed: () => closed,
    close,
    /** One more reply to what was sent. */
    expect,
    ask: (
      message: Record<string, unknown>,
      limitMs: number,
      parts?: readonly Buffer[],
    ): Promise<GuestMessage | undefined> => {
      const reply = expect(limitMs);
      if (!closed) sendFrame(connection.socket, message, parts);
      return reply;
    },
  };
};

/**
 * Opens a session on a fork server. Its `first` call travels with the request, and runs as soon as it is open.
 *
 * @throws LensmithError `data` for an image that is not kept or does not decode, `infrastructure` where the guest is lost.
 */
export const openSession = async (
  server: ForkServer,
  prepared: PreparedSessions,
  kept: KeptImages,
  id: string,
  request: SessionRequest,
  isolation: Isolation,
  onEnd: () => void,
  first?: ExecutionRequest,
): Promise<Session> => {
  const contents = await Promise.all(request.images.map(kept.bytesOf));
  const guest = await prepared.take();
  let running = false;
  const idle = createAlarm(() => {
    if (!running) void close();
  });
  const lifetime = createAlarm(() => void close());
  const listeners = [onEnd, idle.stop, lifetime.stop];
  let givenBack = false;
  const exchange = createExchange(guest.connection, () => {
    if (!givenBack) server.kill(guest.id);
    for (const listener of listeners) listener();
  });
  const end = (): void => {
    if (givenBack) return;
    exchange.close();
    guest.connection.socket.destroy();
  };

  const { variables, limits, state, rollback } = request;
  const images = request.images.map(({ name }) => ({ name }));
  const limitOf = ({ seconds }: ExecutionRequest): number =>
    Math.min(seconds ?? limits.callSeconds, limits.callSeconds);
  const call = first && { code: first.code, seconds: limitOf(first) };
  const config = { images, variables, limits, state, rollback, ...(call ? { call } : {}) };
  const opening = exchange.ask(config, readyMs, contents);
  const firstReply = first && exchange.expect(limitOf(first) * 1000 + graceMs);
  const answer = readySchema.safeParse((await opening)?.content);
  if (!answer.success || !answer.data.ready) {
    end();
    throw answer.success
      ? new LensmithError('data', `expected an image that decodes: ${answer.data.message}`, { where: 'images' })
      : new LensmithError('infrastructure', 'the sandbox session was lost before it was ready', { where: id });
  }

  lifetime.set(request.totalSeconds * 1000);
  const touch = (): void => {
    running = false;
    idle.set(request.idleSeconds * 1000);
  };

  const resultOf = async (replying: Promise<GuestMessage | undefined>): Promise<ExecutionResult> => {
    running = true;
    const started = performance.now();
    const reply = await replying;
    const result = reply && readResult(reply);
    const durationMs = performance.now() - started;
    if (result && result.images.length <= limits.imagesPerCall) {
      touch();
      return { ...result, isolation };
    }
    end();
    return lost(
      reply === undefined ? 'the session ended, or did not answer in time' : 'the session sent what is no result',
      isolation,
      durationMs,
    );
  };

  const run = (call: ExecutionRequest): Promise<ExecutionResult> => {
    const seconds = limitOf(call);
    return resultOf(exchange.ask({ code: call.code, seconds }, seconds * 1000 + graceMs));
  };

  let lastId: string | undefined;
  const close = async (): Promise<void> => {
    if (running) end();
    if (exchange.closed()) return;
    givenBack = true;
    exchange.close();
    prepared.giveBack(guest);
  };

  const repeated = async (): Promise<ExecutionResult> =>
    (await last) ?? lost('the call has no result to repeat', isolation, 0);

  touch();
  // Of the call that came with the opening, until it is asked for.
  let announced = firstReply && resultOf(firstReply);
  let last: Promise<ExecutionResult | undefined> = announced ?? Promise.resolve(undefined);

  return {
    id,
    isolation,
    close,
    onEnd: (listener) => {
      if (exchange.closed()) listener();
      else listeners.push(listener);
    },
    execute: (call) => {
      if (call.executionId !== undefined && call.executionId === lastId) return repeated();
      if (announced && (call.code !== first?.code || call.seconds !== first.seconds))
        return Promise.reject(another(id));
      const next = announced ?? last.then(() => run(call));
      announced = undefined;
      last = next;
      lastId = call.executionId;
      return next;
    },
  };
};
