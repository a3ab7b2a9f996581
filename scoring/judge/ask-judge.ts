import { setTimeout as delay } from 'node:timers/promises';
import type { HedgeDelay } from './hedge-delay.ts';
import { hedged } from './hedged.ts';
import type { JudgeEndpoint } from './judge-endpoint.ts';
import type { judgeMessages } from './judge-prompt.ts';
import type { JudgeReply } from './judge-reply.ts';
import { createOutageBreaker } from './outage-breaker.ts';
import { type ReadReply, readReply } from './parse-verdict.ts';
import type { RequestLimit } from './request-limit.ts';

/** What the judge said, or why there is no verdict. Only `verdict` is one; `outage` may pass, the others will not. */
export type Asked =
  | (ReadReply & {
      /** Whether nothing had to be asked: the verdict was known, or the same question was under way. */
      readonly cached?: boolean;
    })
  | { readonly kind: 'outage'; readonly reason: string }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'refused'; readonly type: 'auth' | 'config'; readonly reason: string };

/** What is counted of a judge's requests. */
export interface JudgeCounts {
  /** Requests for verdicts that were sent, retries and hedges included. */
  requests: number;
  retries: number;
  hedges: number;
}

export interface AskingOptions {
  readonly endpoints: readonly JudgeEndpoint[];
  readonly limit: RequestLimit;
  readonly hedging: HedgeDelay | null;
  readonly attempts: number;
  readonly pauseMs: number;
  /** Milliseconds for which a server that is absent is waited for without that counting as an attempt. */
  readonly awayMs: number;
  /** Milliseconds for a question with its retries, from when it is its turn. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly counts: JudgeCounts;
}

const longestPauseMs = 8000;

const none: ReadonlyMap<JudgeEndpoint, string> = new Map();

/** One that has failed a question comes last: one that fails fast always has the least in flight. */
const least = (endpoints: readonly JudgeEndpoint[], failed = none): JudgeEndpoint | undefined =>
  endpoints.toSorted(
    (a, b) => a.pauseMs - b.pauseMs || Number(failed.has(a)) - Number(failed.has(b)) || a.inFlight - b.inFlight,
  )[0];

const isGood = ({ kind }: JudgeReply): boolean => kind === 'reply' || kind === 'unreadable';

/** Puts questions to a judge's servers: one retry loop, least in flight, hedged, within a deadline. */
export const createAsking = (options: AskingOptions) => {
  const { endpoints, limit, hedging, attempts, pauseMs, awayMs, deadlineMs, counts } = options;
  const signal = options.signal ?? new AbortController().signal;
  const breaker = createOutageBreaker();

  const send = async (
    endpoint: JudgeEndpoint,
    messages: ReturnType<typeof judgeMessages>,
    until: number,
    stop: AbortSignal,
  ) => {
    counts.requests += 1;
    const started = performance.now();
    const reply = await endpoint.ask(messages, until, stop);
    if (reply.kind === 'reply') hedging?.took(performance.now() - started);
    return reply;
  };

  const exchange = (messages: ReturnType<typeof judgeMessages>, first: JudgeEndpoint, until: number) =>
    hedged<JudgeReply>(
      (stop) => send(first, messages, until, stop),
      () => {
        if (!hedging?.mayHedge()) return undefined;
        const usable = endpoints.filter(({ refusal, pauseMs: pause }) => !refusal && pause === 0);
        const other = least(usable.filter((endpoint) => endpoint !== first)) ?? usable[0];
        const leave = other && limit.tryEnter();
        if (!other || !leave) return undefined;
        hedging.hedged();
        counts.hedges += 1;
        return (stop) => send(other, messages, until, stop).finally(leave);
      },
      { afterMs: hedging?.begin() ?? null, isGood, signal },
    );

  const waitFor = async (ms: number, until: number): Promise<void> => {
    const wait = Math.min(ms, until - performance.now());
    if (wait > 0) await delay(wait, undefined, { signal }).catch(() => undefined);
  };

  const tryAll = async (messages: ReturnType<typeof judgeMessages>): Promise<Asked> => {
    let last = 'its time was over before it was asked';
    const began = performance.now();
    const until = began + deadlineMs;
    let pauses = 0;
    const failed = new Map<JudgeEndpoint, string>();
    const rejecting = new Set<JudgeEndpoint>();
    const mayDo = (): JudgeEndpoint[] => endpoints.filter((endpoint) => !endpoint.refusal && !rejecting.has(endpoint));
    for (let attempt = 0; attempt < attempts && !signal.aborted && performance.now() < until; ) {
      const endpoint = least(mayDo(), failed);
      if (!endpoint && rejecting.size > 0) return { kind: 'rejected', reason: [...failed.values()].join('; ') };
      if (!endpoint) {
        const [refusal] = endpoints.flatMap((each) => each.refusal ?? []);
        return {
          kind: 'refused',
          type: refusal?.type === 'auth' ? 'auth' : 'config',
          reason: refusal?.message ?? last,
        };
      }
      if (endpoint.pauseMs > until - performance.now())
        return { kind: 'outage', reason: `the judge asks to wait longer than there is time: ${last}` };
      await waitFor(endpoint.pauseMs, until);
      const reply = await exchange(messages, endpoint, until);
      if (reply.kind === 'reply' || reply.kind === 'unreadable') {
        for (const [other, reason] of failed) if (other !== endpoint) other.outdone(reason);
        return reply.kind === 'reply' ? readReply(reply.text) : reply;
      }
      last = reply.reason;
      failed.set(endpoint, reply.reason);
      if (reply.kind === 'rejected') rejecting.add(endpoint);
      // Another server may do, and asking it is no second attempt.
      if (reply.kind !== 'retry') continue;
      if (!reply.absent || performance.now() - began >= awayMs) attempt += 1;
      if (attempt === attempts) break;
      counts.retries += 1;
      const pause = Math.min(longestPauseMs, pauseMs * 2 ** pauses) * (0.5 + Math.random() / 2);
      pauses += 1;
      await waitFor(Math.max(limit.again(), reply.afterMs === null ? pause : 0), until);
    }
    return { kind: 'outage', reason: `the judge did not answer: ${last}` };
  };

  return async (messages: ReturnType<typeof judgeMessages>): Promise<Asked> => {
    const leave = await limit.enter();
    try {
      const refusal = breaker.refusal();
      if (refusal !== undefined) return { kind: 'outage', reason: refusal };
      const asked = await tryAll(messages);
      if (asked.kind === 'outage') breaker.outage(asked.reason);
      else breaker.answered();
      return asked;
    } finally {
      leave();
    }
  };
};
