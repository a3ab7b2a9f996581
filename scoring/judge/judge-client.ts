import type { Grade } from '../../domain/verdict.ts';
import { guardAnswer, isGrade } from './answer-guard.ts';
import { type Asked, createAsking, type JudgeCounts } from './ask-judge.ts';
import { createHedgeDelay } from './hedge-delay.ts';
import { JudgeEndpoint } from './judge-endpoint.ts';
import { type JudgeQuestion, judgeMessages } from './judge-prompt.ts';
import { gradeOfReply } from './parse-verdict.ts';
import { createRequestLimit } from './request-limit.ts';
import { verdictCache, verdictKey } from './verdict-cache.ts';

export { parseVerdict } from './parse-verdict.ts';

/** Tokens of a reply; a verdict with its short reason has about fifty. */
const replyTokens = 128;

/** A grade of a judge. */
export type JudgeGrade = Grade & {
  /** Where the judge said something: whether nothing had to be asked for it. */
  readonly cached?: boolean;
  /** Where it said nothing because it was away, late or not audited yet: asked again later it may decide. */
  readonly awaitsJudge?: true;
};

/** The grade of an answer about which the judge may say something later. */
export const awaitedGrade = (reason: string): JudgeGrade => ({
  verdict: 'judge_failed',
  decidedBy: 'none',
  reason,
  awaitsJudge: true,
});

/** Says whether an answer agrees with the reference; an outage or an unreadable reply is `judge_failed`, never a score. */
export type Judge = (question: JudgeQuestion) => Promise<JudgeGrade>;

export interface JudgeOptions {
  /** Base URL with `/v1`; of several servers of the same model, all of them. */
  readonly url: string | readonly string[];
  /** The name under which every server serves the judge. */
  readonly model: string;
  /** Tells this judge from others in the cache and in results. @default the model's name */
  readonly id?: string;
  /** Verdicts are kept here by content, so that nothing is asked twice. @default none is kept */
  readonly cacheDir?: string;
  readonly apiKey?: string;
  /** Milliseconds for one request, headers and body. @default 60000 */
  readonly timeoutMs?: number;
  /** Milliseconds for which a server that is absent is waited for beyond the attempts. @default 0 */
  readonly awayMs?: number;
  /** Milliseconds for a question with its retries. @default `awayMs` and three times `timeoutMs` */
  readonly deadlineMs?: number;
  /** @default 3 */
  readonly attempts?: number;
  /** Milliseconds before the second attempt; doubled before each further one, up to 8 s. @default 500 */
  readonly pauseMs?: number;
  /** Questions in flight. @default 32 for each server */
  readonly maxInFlight?: number;
  /** Requests a minute, hedges included. @default no limit */
  readonly requestsPerMinute?: number;
  /** Sends a late question a second time. @default true */
  readonly hedge?: boolean;
  /** Of several servers, called once of each that fails what another one answers. */
  readonly onNote?: (note: string) => void;
  /** Ends what is being asked, and lets nothing more be asked. */
  readonly signal?: AbortSignal;
}

/** What a judge was asked so far. */
export interface JudgeStats extends Readonly<JudgeCounts> {
  readonly questions: number;
  /** Questions that the cache answered, or another one like it that was being asked. */
  readonly cached: number;
  /** Verdicts that could not be written to the cache. */
  readonly unkept: number;
}

/** A judge with what an audit and a report need of it. */
export interface JudgeClient {
  readonly id: string;
  /** With the guard before it, as grading uses it. */
  readonly judge: Judge;
  /** Without the guard: what the model itself makes of an answer. */
  readonly ask: (question: JudgeQuestion) => Promise<Asked>;
  readonly stats: () => JudgeStats;
}

const gradeOf = (asked: Asked): JudgeGrade => {
  if (asked.kind === 'verdict') return { ...gradeOfReply(asked), cached: asked.cached ?? false };
  if (asked.kind === 'unreadable') return gradeOfReply(asked);
  if (asked.kind !== 'rejected') return awaitedGrade(asked.reason);
  return { verdict: 'judge_failed', decidedBy: 'none', reason: asked.reason };
};

/** Opens a judge on servers of the OpenAI API, at temperature 0, with a cache of its decisions on disk. */
export const openJudge = (options: JudgeOptions): JudgeClient => {
  const { model, id = model, timeoutMs = 60_000 } = options;
  const urls = typeof options.url === 'string' ? [options.url] : options.url;
  const endpoints = [...new Set(urls)].map(
    (url) =>
      new JudgeEndpoint({
        ...{ url, model, apiKey: options.apiKey, timeoutMs, maxTokens: replyTokens },
        ...(options.onNote ? { onNote: options.onNote } : {}),
      }),
  );
  const counts: JudgeCounts = { requests: 0, retries: 0, hedges: 0 };
  const put = createAsking({
    endpoints,
    limit: createRequestLimit({
      maxInFlight: options.maxInFlight ?? 32 * endpoints.length,
      ...(options.requestsPerMinute === undefined ? {} : { perMinute: options.requestsPerMinute }),
    }),
    hedging: options.hedge === false ? null : createHedgeDelay(),
    attempts: options.attempts ?? 3,
    pauseMs: options.pauseMs ?? 500,
    awayMs: options.awayMs ?? 0,
    deadlineMs: options.deadlineMs ?? (options.awayMs ?? 0) + 3 * timeoutMs,
    signal: options.signal,
    counts,
  });
  const cache = verdictCache(options.cacheDir, id);
  /** Questions that are being asked, so that the same one is asked once also by episodes that end together. */
  const asking = new Map<string, Promise<Asked>>();
  let questions = 0;
  let cached = 0;
  let unkept = 0;

  const decide = async (question: JudgeQuestion, key: string): Promise<Asked> => {
    const known = await cache.find(key);
    if (known) {
      cached += 1;
      return { kind: 'verdict', ...known, cached: true };
    }
    const asked = await put(judgeMessages(question));
    if (asked.kind !== 'verdict') return asked;
    // A verdict counts also where the disk has no room for it.
    await cache.keep(key, question, asked).catch(() => {
      unkept += 1;
    });
    return asked;
  };

  const ask = (question: JudgeQuestion): Promise<Asked> => {
    questions += 1;
    const key = verdictKey(id, question);
    const running = asking.get(key);
    if (running) {
      cached += 1;
      return running.then((asked) => (asked.kind === 'verdict' ? { ...asked, cached: true } : asked));
    }
    const asked = decide(question, key).finally(() => asking.delete(key));
    asking.set(key, asked);
    return asked;
  };

  return {
    id,
    ask,
    judge: async (question) => {
      const guarded = guardAnswer(question);
      return isGrade(guarded) ? guarded : gradeOf(await ask(guarded));
    },
    stats: () => ({ ...counts, questions, cached, unkept }),
  };
};
