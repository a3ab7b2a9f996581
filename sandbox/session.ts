import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import {
  callErrorSchema,
  callOutcomes,
  type ExecutionRequest,
  type ExecutionResult,
  type ImageInput,
  producedImageSchema,
  type SessionRequest,
} from '../domain/sandbox.ts';
import { createAlarm } from './alarm.ts';
import type { ForkServer, GuestConnection, Isolation } from './fork-server.ts';
import { encodeFrame } from './frames.ts';
import type { PreparedSessions } from './prepared-sessions.ts';

/** The guest ends a call at its limit; past this it is taken for lost, and killed with all that it started. */
const graceMs = 8000;
const readyMs = 30_000;

const readySchema = z.object({ ready: z.boolean(), message: z.string().default('') });

const resultSchema = z.object({
  outcome: z.enum(callOutcomes),
  stdout: z.string(),
  stderr: z.string(),
  images: z.array(producedImageSchema),
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

const bytesOf = async (image: ImageInput): Promise<{ data: string; name?: string }> => {
  const name = image.name === undefined ? {} : { name: image.name };
  if ('data' in image) return { data: image.data, ...name };
  const content = await readFile(image.path).catch((cause: unknown) => {
    throw new LensmithError('data', `expected a readable image: ${String(cause)}`, { where: image.path, cause });
  });
  return { data: content.toString('base64'), ...name };
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

/** Sends messages to a guest and gives each the next reply; undefined where none came before the limit. */
const createExchange = (connection: GuestConnection) => {
  let waiting: ((message: unknown) => void) | undefined;
  let closed = connection.socket.destroyed;
  const limit = createAlarm(() => waiting?.(undefined));
  connection.onMessage = (message) => waiting?.(message);
  connection.onClose = () => {
    closed = true;
    limit.stop();
    waiting?.(undefined);
  };
  return {
    closed: () => closed,
    ask: (message: unknown, limitMs: number): Promise<unknown> =>
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
        connection.socket.write(encodeFrame(message));
      }),
  };
};

/**
 * Opens a session on a fork server.
 *
 * @throws LensmithError `data` for an image that does not decode, `infrastructure` where the guest is lost.
 */
export const openSession = async (
  server: ForkServer,
  prepared: PreparedSessions,
  id: string,
  request: SessionRequest,
  isolation: Isolation,
  onEnd: () => void,
): Promise<Session> => {
  const images = await Promise.all(request.images.map(bytesOf));
  const { id: guestId, connection } = await prepared.take();
  const exchange = createExchange(connection);
  const listeners = [onEnd];
  connection.socket.once('close', () => {
    for (const listener of listeners) listener();
  });
  const end = (): void => {
    server.kill(guestId);
    connection.socket.destroy();
  };

  const { variables, limits, state, rollback } = request;
  const answer = readySchema.safeParse(await exchange.ask({ images, variables, limits, state, rollback }, readyMs));
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
    const result = resultSchema.safeParse(reply);
    const durationMs = performance.now() - started;
    if (result.success && result.data.images.length <= limits.imagesPerCall) {
      touch();
      return { ...result.data, isolation };
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
    const closed = exchange.closed() ? Promise.resolve() : once(connection.socket, 'close');
    end();
    await closed;
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
