import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { LensmithError } from '../domain/errors.ts';
import { type ChatMessage, encodeRequest } from './chat-message.ts';
import { createEndpointPool, type EndpointLease } from './endpoint-pool.ts';
import { type ReadCompletion, readCompletion } from './read-completion.ts';
import { apiBase, authorization } from './served-models.ts';

/** How a model's turns are drawn. */
export interface Sampling {
  readonly temperature: number;
  readonly topP: number;
  /** Tokens of one turn. */
  readonly maxTokens: number;
  readonly seed: number | null;
}

export interface ModelClientOptions {
  /** Base URLs of servers of the OpenAI API, with or without `/v1`. */
  readonly endpoints: readonly string[];
  /** The name under which the endpoints serve the model. */
  readonly model: string;
  readonly apiKey?: string;
  /** Seconds that one request may take, headers and body. @default 300 */
  readonly requestSeconds?: number;
  /** Tries of one turn. @default 6 */
  readonly attempts?: number;
  /** First pause between tries, milliseconds; doubled each time, up to 10 s. @default 250 */
  readonly pauseMs?: number;
}

/** One turn of the model, or why there is none. */
export type ModelReply =
  | (Extract<ReadCompletion, { kind: 'completion' }> & {
      readonly endpoint: string;
      /** Unix time, milliseconds. */
      readonly startedAt: number;
      readonly durationMs: number;
    })
  | { readonly kind: 'context_limit'; readonly message: string }
  | { readonly kind: 'error'; readonly type: string; readonly message: string }
  | { readonly kind: 'deadline' };

/** The turns of one episode, all on one endpoint. */
export interface Conversation {
  /**
   * Asks for a turn.
   *
   * @param deadline - `performance.now()` at which the episode's time is over.
   * @throws LensmithError `cancelled` where `signal` fires.
   */
  ask(
    messages: readonly ChatMessage[],
    sampling: Sampling,
    limits: { readonly deadline: number; readonly signal: AbortSignal },
  ): Promise<ModelReply>;
  end(): void;
}

export interface ModelClient {
  readonly model: string;
  begin(): Conversation;
  close(): Promise<void>;
}

const longestPauseMs = 10_000;

/**
 * Talks to the endpoints of one model. Retries are this client's own: connection errors, 408, 429, 5xx and bodies that
 * are cut off, within `attempts` and the episode's deadline. Requests go through undici and not the `openai` package,
 * because that takes messages as objects: it would encode every image of an episode again at every turn.
 */
export const createModelClient = (options: ModelClientOptions): ModelClient => {
  const { model, apiKey, requestSeconds = 300, attempts = 6, pauseMs = 250 } = options;
  const pool = createEndpointPool(options.endpoints.map(apiBase));
  const agent = new Agent({ connections: null, headersTimeout: 0, bodyTimeout: 0 });

  const send = async (url: string, body: Buffer, signal: AbortSignal): Promise<ReadCompletion> => {
    try {
      const response = await request(`${url}/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...authorization(apiKey) },
        body,
        dispatcher: agent,
        signal,
      });
      const header = response.headers['retry-after'];
      return readCompletion(
        response.statusCode,
        await response.body.text(),
        Array.isArray(header) ? header[0] : header,
      );
    } catch (error) {
      return { kind: 'transient', message: `no complete answer from ${url}: ${String(error)}` };
    }
  };

  const begin = (): Conversation => {
    let lease: EndpointLease | undefined;
    let turns = 0;
    const ask: Conversation['ask'] = async (messages, sampling, { deadline, signal }) => {
      const { temperature, topP, maxTokens, seed } = sampling;
      const fields = { model, temperature, top_p: topP, max_tokens: maxTokens, ...(seed === null ? {} : { seed }) };
      const body = encodeRequest(fields, messages);
      let failure: string | undefined;
      for (let attempt = 1; ; attempt += 1) {
        lease ??= pool.lease();
        const startedAt = Date.now();
        const started = performance.now();
        const left = deadline - started;
        if (left <= 0)
          return failure === undefined
            ? { kind: 'deadline' }
            : { kind: 'error', type: 'infrastructure', message: failure };
        const timer = AbortSignal.timeout(Math.ceil(Math.min(left, requestSeconds * 1000)));
        const read = await send(lease.url, body, AbortSignal.any([signal, timer]));
        if (signal.aborted) throw cancelled(signal);
        if (read.kind === 'completion') {
          turns += 1;
          return { ...read, endpoint: lease.url, startedAt, durationMs: performance.now() - started };
        }
        if (read.kind === 'context_limit') return read;
        if (read.kind === 'refused') return { kind: 'error', type: read.type, message: read.message };
        if (performance.now() >= deadline && failure === undefined) return { kind: 'deadline' };
        failure = timer.aborted ? `no complete answer from ${lease.url} within ${requestSeconds} s` : read.message;
        lease.fail();
        const backoff = Math.min(pauseMs * 2 ** (attempt - 1), longestPauseMs);
        const wait = read.retryAfterMs ?? backoff * (0.5 + Math.random() / 2);
        if (attempt >= attempts || performance.now() + wait >= deadline)
          return { kind: 'error', type: 'infrastructure', message: `after ${attempt} tries: ${failure}` };
        if (turns === 0) {
          // Nothing ties the episode to a server before its first turn.
          lease.release();
          lease = undefined;
        }
        await delay(wait, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) throw cancelled(signal);
      }
    };
    return { ask, end: () => lease?.release() };
  };

  return { model, begin, close: () => agent.destroy() };
};

const cancelled = (signal: AbortSignal): LensmithError =>
  new LensmithError('cancelled', `the episode was cancelled: ${String(signal.reason)}`, { cause: signal.reason });
