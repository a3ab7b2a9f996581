import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';
import type { ChatMessage } from './chat-message.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointLease, EndpointPool } from './endpoint-pool.ts';
import type { Conversation, ModelReply } from './model-types.ts';
import { type Send, sendTurn } from './send-turn.ts';

/** What a conversation needs of its client. */
export interface Transport {
  readonly model: string;
  readonly pool: EndpointPool;
  readonly attempts: number;
  /** First pause between tries, milliseconds. */
  readonly pauseMs: number;
  readonly send: Send;
}

const longestPauseMs = 10_000;

const cancelled = (signal: AbortSignal): LensmithError =>
  new LensmithError('cancelled', `the episode was cancelled: ${String(signal.reason)}`, { cause: signal.reason });

const error = (type: string, message: string): ModelReply => ({ kind: 'error', type, message });

/** What the endpoints said; of a single one its own words. */
const toldBy = (said: ReadonlyMap<Endpoint, string>): string =>
  said.size === 1
    ? [...said.values()].join('')
    : [...said].map(([{ url }, message]) => `${url}: ${message}`).join('; ');

const imagesOf = (messages: readonly ChatMessage[]): string[] =>
  messages.flat().flatMap((piece) => (Buffer.isBuffer(piece) ? [] : [piece.digest]));

/**
 * Begins a conversation. Its loop over tries is the only one: a turn is asked again after an answer that is an error,
 * and after a request that is lost because its connection broke or was closed at its deadline; never beside one that
 * may still be answered. Tries and the episode's deadline bound it.
 */
export const beginConversation = ({ model, pool, attempts, pauseMs, send }: Transport): Conversation => {
  let lease: EndpointLease | undefined;
  let answered = false;
  // Images that the present endpoint has answered a turn about.
  let kept: ReadonlySet<string> = new Set();

  const leave = (): void => {
    lease?.release();
    lease = undefined;
    kept = new Set();
  };

  const ask: Conversation['ask'] = async (messages, sampling, limits) => {
    const { deadline, signal } = limits;
    let failure: { type: string; message: string } | undefined;
    let failed: Endpoint | undefined;
    const refused = new Map<Endpoint, string>();
    let tries = 0;

    for (let attempt = 1; ; ) {
      if (signal.aborted) throw cancelled(signal);
      if (performance.now() >= deadline) return failure ? error(failure.type, failure.message) : { kind: 'deadline' };
      let wait = Math.min(pauseMs * 2 ** (attempt - 1), longestPauseMs) * (0.5 + Math.random() / 2);
      if (lease && !lease.endpoint.isUp) leave();
      if (!lease) {
        const until = Math.min(deadline, performance.now() + wait);
        const leased = await pool.lease(until, signal, { failed, refused });
        if (leased.kind === 'refused') return error(leased.error.type, leased.error.message);
        if (leased.kind === 'lease') lease = leased.lease;
        else failure = { type: 'infrastructure', message: leased.message };
      }
      if (lease) {
        const { endpoint } = lease;
        const sent = await sendTurn({ endpoint, model, messages, sampling, limits, kept }, send);
        if (signal.aborted) throw cancelled(signal);
        if (sent.kind === 'no_place') {
          if (performance.now() < deadline) continue;
          // The model had no chance, so this is no time limit of its own.
          return error('infrastructure', `${endpoint.url} took no request before the episode's time was over`);
        }
        tries += 1;
        const { read, omitted, startedAt, durationMs } = sent;
        if (read.kind === 'completion') {
          answered = true;
          for (const [other, reason] of refused) other.refused(reason);
          if (omitted) endpoint.mediaKept();
          if (endpoint.keepsMedia) kept = new Set(imagesOf(messages));
          return { ...read, endpoint: endpoint.url, startedAt, durationMs, tries };
        }
        if (read.kind === 'context_limit') return read;
        // A server that has dropped an image says so in words of its own: the images are sent in full again.
        kept = new Set();
        if (read.kind === 'refused') {
          if (omitted) {
            endpoint.mediaRefused();
            continue;
          }
          refused.set(endpoint, read.message);
          // What one server refuses for its settings or its key, another may take; an answer without end has no end there.
          const mayDo = (other: Endpoint): boolean => other.isUp && !refused.has(other);
          if (read.type === 'infrastructure' || !pool.endpoints.some(mayDo)) return error(read.type, toldBy(refused));
          failure = read;
          leave();
          continue;
        }
        if (performance.now() >= deadline && !failure) return { kind: 'deadline' };
        failure = { type: read.kind === 'unknown_model' ? 'config' : 'infrastructure', message: read.message };
        failed = endpoint;
        // Nothing ties the episode to a server before its first turn.
        if (!answered && pool.endpoints.length > 1) leave();
        else if (read.kind === 'transient') wait = read.retryAfterMs ?? wait;
      }
      // The first time another server is asked at once. Were all of them ill, the later pauses would still be there.
      const isElsewhere = (other: Endpoint): boolean => other !== failed && other.isUp && !other.isHeld;
      if (attempt === 1 && !lease?.endpoint.isUp && pool.endpoints.some(isElsewhere)) wait = 0;
      if (attempt >= attempts || performance.now() + wait >= deadline)
        return error(failure?.type ?? 'infrastructure', `after ${attempt} tries: ${failure?.message}`);
      attempt += 1;
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  };

  return { ask, end: leave };
};
