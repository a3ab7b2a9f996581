import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import {
  callErrorSchema,
  callOutcomes,
  type ExecutionRequest,
  type ExecutionResult,
  producedImageSchema,
  type SessionRequest,
} from '../domain/sandbox.ts';
import { createAlarm } from './alarm.ts';
import type { ForkServer, GuestConnection, Isolation } from './fork-server.ts';
import { type GuestMessage, sendFrame } from './frames.ts';
import type { KeptImages } from './kept-images.ts';
import type { PreparedSessions } from './prepared-sessions.ts';

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
  const images = data.images.map((image, index) => ({ ...image, data: parts[index]?.toString('base64') ?? '' }));
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

/**
 * Sends messages to a guest and gives each the next reply; undefined where none came before the limit. `onClose` is
 * called once, at the connection's end or at `close`, past which the connection is another's.
 */
const createExchange = (connection: GuestConnection, onClose: () => void) => {
  let waiting: ((message: GuestMessage | undefined) => void) | undefined;
  let closed = false;
  const limit = createAlarm(() => waiting?.(undefined));
  const close = (): void => {
    if (closed) return;
    closed = true;
    limit.stop();
    waiting?.(undefined);
    onClose();
  };
  connection.onMessage = (message) => waiting?.(message);
  connection.onClose = close;
  if (connection.socket.destroyed) close();
  return {
    closed: () => closed,
    close,
    ask: (
      message: Record<string, unknown>,
      limitMs: number,
      parts?: readonly Buffer[],
    ): Promise<GuestMessage | undefined> =>
      new Promise((resolve) => {
        if (closed) {
          resolve(undefined);
          return;
        }
        limit.set(limitMs);
        waiting = (reply) => {
          waiting = undefined;
          resolve(reply);
        };
        sendFrame(connection.socket, message, parts);
      }),
  };
};

/**
 * Opens a session on a fork server.
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
): Promise<Session> => {
  const contents = await Promise.all(request.images.map(kept.bytesOf));
  const guest = await prepared.take();
  const listeners = [onEnd];
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
  const config = { images, variables, limits, state, rollback };
  const answer = readySchema.safeParse((await exchange.ask(config, readyMs, contents))?.content);
  if (!answer.success || !answer.data.ready) {
    end();
    throw answer.success
      ? new LensmithError('data', `expected an image that decodes: ${answer.data.message}`, { where: 'images' })
      : new LensmithError('infrastructure', 'the sandbox session was lost before it was ready', { where: id });
  }

  let running = false;
  const idle = createAlarm(() => {
    if (!running) void close();
  });
  const touch = (): void => {
    running = false;
    idle.set(request.idleSeconds * 1000);
  };

  const run = async ({ code, seconds }: ExecutionRequest): Promise<ExecutionResult> => {
    running = true;
    const limit = Math.min(seconds ?? limits.callSeconds, limits.callSeconds);
    const started = performance.now();
    const reply = await exchange.ask({ code, seconds: limit }, limit * 1000 + graceMs);
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

  const lifetime = setTimeout(() => void close(), request.totalSeconds * 1000);
  lifetime.unref();

  let last: Promise<ExecutionResult | undefined> = Promise.resolve(undefined);
  let lastId: string | undefined;
  const close = async (): Promise<void> => {
    idle.stop();
    clearTimeout(lifetime);
    if (running) end();
    if (exchange.closed()) return;
    givenBack = true;
    exchange.close();
    prepared.giveBack(guest);
  };

  const repeated = async (): Promise<ExecutionResult> =>
    (await last) ?? lost('the call has no result to repeat', isolation, 0);

  touch();
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
      const next = last.then(() => run(call));
      last = next;
      lastId = call.executionId;
      return next;
    },
  };
};
