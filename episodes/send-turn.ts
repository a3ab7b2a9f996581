import type { Exchange } from '../http/exchange.ts';
import type { ChatMessage } from './chat-message.ts';
import type { Endpoint } from './endpoint.ts';
import type { AskLimits, Sampling } from './model-types.ts';
import { type ReadCompletion, readCompletion } from './read-completion.ts';
import { encodeRequest, type RequestBody } from './request-body.ts';

/** Sends a body to an endpoint and reads what comes. */
export type Send = (endpoint: Endpoint, body: RequestBody, sampling: Sampling, limits: AskLimits) => Promise<Exchange>;

export interface TurnRequest {
  readonly endpoint: Endpoint;
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly sampling: Sampling;
  readonly limits: AskLimits;
  /** Digests of the images that a server which keeps images has of this episode. */
  readonly kept: ReadonlySet<string>;
}

/** What came of one request, or that the endpoint had no place for it. */
export type SentTurn =
  | { readonly kind: 'no_place' }
  | {
      readonly kind: 'sent';
      readonly read: ReadCompletion;
      /** Whether an image was sent by its id alone. */
      readonly omitted: boolean;
      /** Unix time, milliseconds. */
      readonly startedAt: number;
      readonly durationMs: number;
    };

const bodyOf = ({ endpoint, model, messages, sampling, kept }: TurnRequest): RequestBody => {
  const { temperature, topP, maxTokens, seed } = sampling;
  const fields = { model, temperature, top_p: topP, max_tokens: maxTokens, ...(seed === null ? {} : { seed }) };
  return encodeRequest(fields, messages, ({ digest }) => {
    if (!endpoint.keepsMedia) return 'plain';
    return kept.has(digest) ? 'kept' : 'named';
  });
};

/** What the endpoint learns from a reply. */
const report = ({ endpoint, limits }: TurnRequest, read: ReadCompletion, durationMs: number): void => {
  const { limit } = endpoint;
  const now = performance.now();
  if (read.kind === 'completion') {
    limit.completed({ durationMs, tokens: read.completionTokens }, now);
    endpoint.succeeded();
  } else if (read.kind === 'transient' && read.fault === 'throttled') {
    limit.throttled(now);
    endpoint.hold(read.retryAfterMs ?? 0);
  } else {
    limit.failed();
    // What the episode's own end or a person cut off says nothing of the server.
    const isOver = limits.signal.aborted || now >= limits.deadline;
    if (read.kind === 'transient' && !isOver) endpoint.failed(read.fault === 'unreachable', read.message);
    if (read.kind === 'unknown_model') endpoint.doubt(read.message);
  }
};

/** Waits for a place at the endpoint, sends a turn's request there once, and tells the endpoint what came of it. */
export const sendTurn = async (request: TurnRequest, send: Send): Promise<SentTurn> => {
  const { endpoint, sampling, limits } = request;
  if (!(await endpoint.enter(limits.deadline, limits.signal))) return { kind: 'no_place' };
  const body = bodyOf(request);
  const startedAt = Date.now();
  const started = performance.now();
  const read = readCompletion(await send(endpoint, body, sampling, limits), sampling.maxTokens);
  const durationMs = performance.now() - started;
  report(request, read, durationMs);
  endpoint.leave();
  return { kind: 'sent', read, omitted: body.omits, startedAt, durationMs };
};
