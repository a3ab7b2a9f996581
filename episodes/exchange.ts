import { Readable } from 'node:stream';
import { type Agent, request } from 'undici';

/** What came of one request: an answer with its whole body, or how it was lost. */
export type Exchange =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: string;
      /** The header `Retry-After`. */
      readonly retryAfter: string | undefined;
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
  readonly body: { readonly length: number; chunks(): AsyncGenerator<Buffer> };
  readonly signal: AbortSignal;
  /** Milliseconds for all of it. */
  readonly totalMs: number;
  /** Milliseconds without a byte of the body, once its headers are there. */
  readonly stallMs: number;
  /** Longest answer, bytes. */
  readonly maxBytes: number;
}

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

/** Posts JSON and reads the whole answer. Never rejects, and ends within `totalMs`, whatever the server does. */
export const exchange = async (options: ExchangeOptions): Promise<Exchange> => {
  const { agent, url, headers, body, signal, totalMs, stallMs, maxBytes } = options;
  const lost = (fault: Extract<Exchange, { kind: 'lost' }>['fault'], message: string): Exchange => ({
    kind: 'lost',
    fault,
    message: `no complete answer from ${url}: ${message}`,
  });
  if (signal.aborted) return lost('cancelled', 'cancelled');

  const abort = new AbortController();
  let phase: 'header_timeout' | 'body_timeout' = 'header_timeout';
  let ending: Exchange | undefined;
  const stop = (result: Exchange): void => {
    ending ??= result;
    abort.abort();
  };
  const onCancel = (): void => stop(lost('cancelled', 'cancelled'));
  const total = setTimeout(() => stop(lost(phase, `it took longer than ${totalMs / 1000} s`)), totalMs);
  let stall: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', onCancel, { once: true });
  try {
    const response = await request(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'content-length': String(body.length) },
      body: Readable.from(body.chunks()),
      dispatcher: agent,
      signal: abort.signal,
    });
    phase = 'body_timeout';
    stall = setTimeout(() => stop(lost('body_timeout', `its body stalled for ${stallMs / 1000} s`)), stallMs);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response.body) {
      stall.refresh();
      bytes += chunk.length;
      if (bytes > maxBytes) stop(lost('oversized', `expected at most ${maxBytes} bytes, more came`));
      chunks.push(chunk);
    }
    const retryAfter = response.headers['retry-after'];
    return {
      kind: 'answer',
      status: response.statusCode,
      body: Buffer.concat(chunks).toString('utf8'),
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
    };
  } catch (error) {
    if (ending) return ending;
    return lost(codesOf(error).some((code) => unreachable.has(String(code))) ? 'unreachable' : 'reset', String(error));
  } finally {
    clearTimeout(total);
    clearTimeout(stall);
    signal.removeEventListener('abort', onCancel);
  }
};
