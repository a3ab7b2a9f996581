import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';
import type { Protocol } from '../domain/protocol.ts';
import type { ExecutionResult } from '../domain/sandbox.ts';
import { giveBytes } from '../sandbox/reused-bytes.ts';
import { type CodeSandbox, type CodeSession, executeCall, firstCode, sessionOptions } from './code-session.ts';
import type { StoredImage } from './image-store.ts';
import { ownTurn } from './own-turn.ts';
import { sandboxPlaces } from './sandbox-places.ts';

export type { CodeSandbox, CodeSession } from './code-session.ts';

/** A call's result, or why the sandbox could give none. */
export type ToolReply =
  | { readonly kind: 'result'; readonly result: ExecutionResult }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'error'; readonly type: 'data' | 'infrastructure'; readonly message: string };

/**
 * An episode's calls: in one session that is opened at the first of them, or, where a call names its image, each in a
 * session of its own with that image.
 */
export interface ToolSession {
  /** @param image - The image that the call names. */
  execute(code: string, image?: StoredImage): Promise<ToolReply>;
  close(): Promise<void>;
}

export interface ToolSessionOptions {
  readonly sandbox: CodeSandbox;
  readonly protocol: Protocol;
  readonly images: readonly StoredImage[];
  readonly signal: AbortSignal;
  /** `performance.now()` at which the episode's time is over. */
  readonly deadline: number;
  /** Tries of one call, with pauses of 0.2 s, then twice as long each time. @default 5 */
  readonly attempts?: number;
}

/** Above this an image takes milliseconds to hand over, bytes of base64. */
const largeBytes = 1024 * 1024;

const isOver: unique symbol = Symbol('deadline');
const noPlace: unique symbol = Symbol('no place');

/**
 * Opens a tool session. A call that ends as `infrastructure` is tried again in a new session, after the calls that
 * had an effect are repeated there; where that does not help, the reply is an `error`.
 */
export const openToolSession = (options: ToolSessionOptions): ToolSession => {
  const { sandbox, protocol, images, signal, deadline, attempts = 5 } = options;
  const effective: string[] = [];
  let session: CodeSession | undefined;
  let closed = false;

  const drop = async (): Promise<void> => {
    const closing = session;
    session = undefined;
    await closing?.close();
  };

  const attempt = async (code: string, image: StoredImage | undefined): Promise<ExecutionResult> => {
    if (!session) {
      const given = image ? [image] : images;
      if (given.some(({ base64 }) => base64.length > largeBytes)) await ownTurn();
      const contents = given.map(({ base64 }) => base64.decoded());
      const first = effective[0] ?? firstCode(protocol, code);
      const opened = await sandbox.createSession(sessionOptions(protocol, contents), { code: first });
      for (const bytes of contents) giveBytes(bytes);
      if (closed) {
        // The episode's time ended while the session was being opened.
        await opened.close();
        throw new Error('the episode is over');
      }
      session = opened;
      for (const earlier of effective) {
        const repeated = await session.execute({ code: earlier });
        if (repeated.outcome === 'infrastructure') return repeated;
      }
    }
    return executeCall(session, protocol, code);
  };

  // The sandbox kills what runs too long; the race only keeps an episode from waiting past its own time.
  const withinTime = async (
    code: string,
    image: StoredImage | undefined,
  ): Promise<ExecutionResult | typeof isOver | typeof noPlace> => {
    const over = Promise.withResolvers<typeof isOver>();
    const end = (): void => over.resolve(isOver);
    const timer = setTimeout(end, Math.max(0, deadline - performance.now()));
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const place = sandboxPlaces.enter(session !== undefined);
    try {
      const first = await Promise.race([over.promise, place.ready]);
      if (first === isOver) return noPlace;
      const running = attempt(code, image);
      running.catch(() => undefined);
      return await Promise.race([over.promise, running]);
    } finally {
      place.leave();
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  };

  return {
    close: () => {
      closed = true;
      return drop();
    },
    execute: async (code, image) => {
      for (let tries = 1; ; tries += 1) {
        let failure: string;
        try {
          const result = await withinTime(code, image);
          if (result === isOver) return { kind: 'deadline' };
          // The model had no chance, so this is no time limit of its own.
          if (result === noPlace)
            return { kind: 'error', type: 'infrastructure', message: 'the sandbox had no place within the time' };
          if (result.outcome !== 'infrastructure') {
            // A session that ends late, or by itself, changes nothing of the call.
            if (image) drop().catch(() => undefined);
            if (protocol.state === 'stateful' && (result.outcome === 'ok' || result.outcome === 'no_output'))
              effective.push(code);
            return { kind: 'result', result };
          }
          failure = result.error?.message ?? 'the call was lost';
        } catch (error) {
          // The sandbox's decoder refuses the input image: the next session would refuse it too.
          if (error instanceof LensmithError && error.type === 'data')
            return { kind: 'error', type: 'data', message: error.message };
          failure = String(error);
        }
        // Nobody knows whether the call had its effect, so its session is not used again.
        await drop().catch(() => undefined);
        if (tries >= attempts)
          return { kind: 'error', type: 'infrastructure', message: `after ${tries} tries: ${failure}` };
        await delay(100 * 2 ** tries, undefined, { signal }).catch(() => undefined);
      }
    },
  };
};
