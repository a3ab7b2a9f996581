import { Agent } from 'undici';
import { LensmithError } from '../domain/errors.ts';
import { apiBase } from '../http/api-base.ts';
import { exchange } from '../http/exchange.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { beginConversation } from './conversation.ts';
import { type CheckServer, Endpoint } from './endpoint.ts';
import { createEndpointPool } from './endpoint-pool.ts';
import { keepsMedia } from './media-support.ts';
import type { ModelClient, ModelClientOptions } from './model-types.ts';
import { fetchWaiting } from './queue-metrics.ts';
import type { Send } from './send-turn.ts';
import { authorization, type ServedModelsOptions, servedModel } from './served-models.ts';

export type {
  AskLimits,
  Conversation,
  EndpointStatus,
  ModelClient,
  ModelClientOptions,
  ModelReply,
  Sampling,
} from './model-types.ts';

const metricsEveryMs = 1000;
// A token is a few characters; this leaves room for long ones and for JSON's escapes.
const bytesPerToken = 256;
const bytesBesideText = 1024 * 1024;

/** Asks a vLLM server for its queue at most once a second, while it is used; one without metrics is asked once. */
const watchQueue = (agent: Agent, endpoint: Endpoint): (() => void) => {
  let next = performance.now() + metricsEveryMs;
  return () => {
    if (!endpoint.tellsQueue || performance.now() < next) return;
    next = Number.POSITIVE_INFINITY;
    void fetchWaiting(agent, endpoint.url).then((waiting) => {
      if (waiting === null) return;
      endpoint.limit.queueIs(waiting, performance.now());
      next = performance.now() + metricsEveryMs;
    });
  };
};

/**
 * Talks to the endpoints of one model. Requests go through undici and not the `openai` package, because that takes
 * messages as objects: it would encode every image of an episode again at every turn, and its time limit ends with the
 * headers.
 */
export const createModelClient = (options: ModelClientOptions): ModelClient => {
  const { model, apiKey, requestSeconds = 300, bodySeconds = 30, attempts = 6, pauseMs = 250 } = options;
  const { mediaReuse = 'auto', maxInFlight = 1024 } = options;
  const urls = [...new Set(options.endpoints.map(apiBase))];
  // Of a single one every episode tells.
  const onNote = urls.length > 1 ? options.onNote : undefined;
  const contexts = new Map<string, number>();
  const agent = new Agent({ connections: null, headersTimeout: 0, bodyTimeout: 0 });
  const headers = authorization(apiKey);

  const check = async (url: string): ReturnType<CheckServer> => {
    const asked: ServedModelsOptions = { timeoutMs: 5000, ...(apiKey === undefined ? {} : { apiKey }) };
    const { ownedBy, contextLength } = await servedModel(url, model, asked);
    if (contextLength !== null) {
      const other = [...contexts].find(([, length]) => length !== contextLength);
      contexts.set(url, contextLength);
      if (other)
        onNote?.(
          `${url} has a context of ${contextLength} tokens, ${other[0]} had one of ${other[1]}: what ends as context_limit depends on the server; serve the model with the same length everywhere`,
        );
    }
    const isVllm = ownedBy === 'vllm';
    return { keepsMedia: isVllm && mediaReuse === 'auto' && (await keepsMedia(url, asked)), tellsQueue: isVllm };
  };

  const endpoints = urls.map(
    (url) =>
      new Endpoint({
        url,
        check: () => check(url),
        limit: new ConcurrencyLimit({ most: maxInFlight }),
        ejectionMs: pauseMs,
        ...(onNote ? { onNote } : {}),
      }),
  );
  const pool = createEndpointPool(endpoints);
  const watches = new Map(endpoints.map((endpoint) => [endpoint, watchQueue(agent, endpoint)]));

  const send: Send = (endpoint, body, sampling, { deadline, signal }) => {
    watches.get(endpoint)?.();
    return exchange({
      agent,
      url: `${endpoint.url}/chat/completions`,
      headers,
      body,
      signal,
      totalMs: Math.ceil(Math.max(1, Math.min(deadline - performance.now(), requestSeconds * 1000))),
      stallMs: bodySeconds * 1000,
      maxBytes: bytesBesideText + bytesPerToken * sampling.maxTokens,
    });
  };

  return {
    model,
    begin: () => beginConversation({ model, pool, attempts, pauseMs, send }),
    endpoints: () => endpoints.map((endpoint) => endpoint.status()),
    ready: async () => {
      const found = await pool.lease(performance.now(), new AbortController().signal);
      if (found.kind === 'lease') found.lease.release();
      else if (found.kind === 'refused') throw found.error;
      else throw new LensmithError('infrastructure', found.message);
    },
    close: () => agent.destroy(),
  };
};
