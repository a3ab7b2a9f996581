import type { Agent, Dispatcher } from 'undici';
import { decodedBody } from './decoded-body.ts';

/** How a request was lost. */
type Fault = Extract<Exchange, { kind: 'lost' }>['fault'];

/** What came of one request: an answer with its whole body, or how it was lost. */
export type Exchange =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: string;
      /** The header `Retry-After`. */
      readonly retryAfter: string | undefined;
      /** The header `Location`, of a redirect. */
      readonly location: string | undefined;
    }
  | {
      readonly kind: 'lost';
      /**
       * `unreachable`: never sent. `header_timeout`, `body_timeout`: given up by us, and its connection closed, at which
       * servers end a generation. `reset`: the connection broke. `oversized`: longer than any answer may be.
       */
      readonly fault: 'unreachable' | 'header_timeout' | 'body_timeout' | 'reset' | 'oversized' | 'cancelled';
      readonly message: string;
    };

export interface ExchangeOptions {
  readonly agent: Agent;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON that is posted; without one it is a GET. */
  readonly body?: Buffer | { readonly length: number; chunks(): Iterable<Buffer> | AsyncIterable<Buffer> };
  readonly signal: AbortSignal;
  /** Milliseconds for all of it. */
  readonly totalMs: number;
  /** Milliseconds without a byte of the body, once its headers are there. */
  readonly stallMs: number;
  /** Longest answer, bytes. */
  readonly maxBytes: number;
}

/** undici takes any iterable of buffers (its docs/docs/api/Dispatcher.md), which its types do not say. */
type DispatchBody = NonNullable<Dispatcher.DispatchOptions['body']>;

const unreachable = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const codesOf = (error: unknown): unknown[] => {
  if (!(error instanceof Error)) return [];
  const own = 'code' in error ? [error.code] : [];
  return error instanceof AggregateError ? [...own, ...error.errors.flatMap(codesOf)] : own;
};

const faultOf = (error: Error): Fault =>
  codesOf(error).some((code) => unreachable.has(String(code))) ? 'unreachable' : 'reset';

const firstOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;

/**
 * Sends one request and reads the whole answer. Never rejects, and ends within `totalMs`, whatever the server does.
 *
 * It speaks to undici's dispatcher itself: the streams and signals that `request` puts around it cost as much again.
 */
export const exchange = (options: ExchangeOptions): Promise<Exchange> =>
  new Promise((resolve) => {
    const { agent, url, headers, body, signal, totalMs, stallMs, maxBytes } = options;
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    let retryAfter: string | undefined;
    let location: string | undefined;
    let encoding: string | undefined;
    let controller: Dispatcher.DispatchController | undefined;
    let ended = false;
    let stall: NodeJS.Timeout | undefined;

    const end = (result: Exchange): void => {
      ended = true;
      clearTimeout(total);
      clearTimeout(stall);
      signal.removeEventListener('abort', onCancel);
      resolve(result);
    };
    const lose = (fault: Fault, message: string): void => {
      if (ended) return;
      end({ kind: 'lost', fault, message: `no complete answer from ${url}: ${message}` });
      controller?.abort(new Error(message));
    };
    const onCancel = (): void => lose('cancelled', 'cancelled');
    const until = performance.now() + totalMs;
    const onTime = (): void => {
      // A timer counts whole milliseconds, and may ring up to one of them early: a deadline would then not be over.
      const rest = until - performance.now();
      if (rest > 0) total = setTimeout(onTime, Math.ceil(rest));
      else lose(stall ? 'body_timeout' : 'header_timeout', `it took longer than ${totalMs / 1000} s`);
    };
    let total = setTimeout(onTime, totalMs);
    signal.addEventListener('abort', onCancel, { once: true });
    if (signal.aborted) {
      onCancel();
      return;
    }

    const { origin, pathname, search } = new URL(url);
    agent.dispatch(
      {
        origin,
        path: pathname + search,
        ...(body
          ? {
              method: 'POST',
              headers: { ...headers, 'content-type': 'application/json', 'content-length': String(body.length) },
              body: Buffer.isBuffer(body) ? body : (body.chunks() as unknown as DispatchBody),
            }
          : { method: 'GET', headers: { ...headers } }),
      },
      {
        onRequestStart: (given) => {
          controller = given;
          // It waited for its connection until nobody waited for it: it is not sent.
          if (ended) given.abort(new Error('given up'));
        },
        onResponseStart: (_, statusCode, received) => {
          // What comes before the answer, such as `103 Early Hints`.
          if (statusCode < 200) return;
          status = statusCode;
          retryAfter = firstOf(received['retry-after']);
          location = firstOf(received.location);
          encoding = firstOf(received['content-encoding']);
          stall = setTimeout(() => lose('body_timeout', `its body stalled for ${stallMs / 1000} s`), stallMs);
        },
        onResponseData: (_, chunk) => {
          stall?.refresh();
          bytes += chunk.length;
          if (bytes > maxBytes) lose('oversized', `expected at most ${maxBytes} bytes, more came`);
          else chunks.push(chunk);
        },
        onResponseEnd: () => {
          if (ended) return;
          try {
            const body = decodedBody(Buffer.concat(chunks), encoding, maxBytes).toString('utf8');
            end({ kind: 'answer', status, body, retryAfter, location });
          } catch (error) {
            const isTooLong = codesOf(error).includes('ERR_BUFFER_TOO_LARGE');
            lose(isTooLong ? 'oversized' : 'reset', `its body, which it says is ${encoding}: ${String(error)}`);
          }
        },
        onResponseError: (_, error) => lose(faultOf(error), String(error)),
      },
    );
  });
