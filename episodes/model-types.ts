import type { ChatMessage } from './chat-message.ts';
import type { ReadCompletion } from './read-completion.ts';

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
  /** Seconds without a byte after which a body that has begun is given up. @default 30 */
  readonly bodySeconds?: number;
  /** Tries of one turn. @default 6 */
  readonly attempts?: number;
  /** First pause between tries, milliseconds; doubled each time, up to 10 s. @default 250 */
  readonly pauseMs?: number;
  /** Most requests in flight at one endpoint; below it the client finds the number that serves best. @default 1024 */
  readonly maxInFlight?: number;
  /**
   * Whether a server that keeps media by id (vLLM) is sent an image once an episode, and its id from then on.
   * @default auto
   */
  readonly mediaReuse?: 'auto' | 'never';
  /**
   * Of several endpoints, called with what a person should know: once of each that is left out or refuses what another
   * one takes, and of contexts of different lengths.
   */
  readonly onNote?: (note: string) => void;
}

/** One turn of the model, or why there is none. */
export type ModelReply =
  | (Extract<ReadCompletion, { kind: 'completion' }> & {
      readonly endpoint: string;
      /** Unix time of the request that was answered, milliseconds. */
      readonly startedAt: number;
      readonly durationMs: number;
      /** Requests that were sent, the last one answered. */
      readonly tries: number;
    })
  | { readonly kind: 'context_limit'; readonly message: string }
  | { readonly kind: 'error'; readonly type: string; readonly message: string }
  | { readonly kind: 'deadline' };

/** Until when a turn is worth waiting for. */
export interface AskLimits {
  /** `performance.now()` at which the episode's time is over. */
  readonly deadline: number;
  readonly signal: AbortSignal;
}

/** The turns of one episode, all on one endpoint as long as that is up. */
export interface Conversation {
  /**
   * Asks for a turn.
   *
   * @throws LensmithError `cancelled` where the limits' `signal` fires.
   */
  ask(messages: readonly ChatMessage[], sampling: Sampling, limits: AskLimits): Promise<ModelReply>;
  end(): void;
}

/** What the client knows of an endpoint. */
export interface EndpointStatus {
  readonly url: string;
  /** `ejected` comes back by itself; `refused` serves another model or refuses the key, and is not used. */
  readonly state: 'unchecked' | 'up' | 'ejected' | 'refused';
  readonly episodes: number;
  readonly requests: number;
  /** Requests that may be in flight at present. */
  readonly limit: number;
  /** Why it is not up. */
  readonly reason: string | null;
}

export interface ModelClient {
  readonly model: string;
  begin(): Conversation;
  /**
   * Waits until every endpoint was looked at.
   *
   * @throws LensmithError `config` or `auth` where none can be used and each says why, `infrastructure` where none is
   * up yet.
   */
  ready(): Promise<void>;
  endpoints(): readonly EndpointStatus[];
  close(): Promise<void>;
}
