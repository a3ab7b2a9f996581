import { Agent } from 'undici';
import { z } from 'zod';
import { LensmithError } from '../../domain/errors.ts';
import { parseJson } from '../../domain/parse-json.ts';
import { apiBase } from '../../http/api-base.ts';
import { type ExchangeOptions, exchange } from '../../http/exchange.ts';
import { messageText } from '../../http/message-text.ts';
import type { judgeMessages } from './judge-prompt.ts';
import { type JudgeReply, replyOfLoss, replyOfStatus, replyOfUnread } from './judge-reply.ts';

export interface JudgeEndpointOptions {
  /** Base URL; `/v1` at its end may be left out. */
  readonly url: string;
  readonly model: string;
  readonly apiKey: string | undefined;
  /** Milliseconds for a request with its body. */
  readonly timeoutMs: number;
  readonly maxTokens: number;
  /** Called once, where another server answers what this one failed. */
  readonly onNote?: (note: string) => void;
}

const modelsSchema = z.object({
  // vLLM: the weights behind a name, of which there may be several.
  data: z.array(z.object({ id: z.string(), root: z.string().nullish().catch(null) })),
});

const thoughts = z.string().nullish().catch(undefined);

const completionSchema = z.object({
  // An old server may leave it out; the list of models was checked in any case.
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        // Where a server with a reasoning parser puts what the model thinks.
        message: z.object({ content: messageText.nullish(), reasoning_content: thoughts, reasoning: thoughts }),
      }),
    )
    .min(1),
});
type Choice = z.infer<typeof completionSchema>['choices'][number];

const unreadable = (reason: string): JudgeReply => ({ kind: 'unreadable', reason });

const replyOf = (
  { finish_reason, message: { content, reasoning_content, reasoning } }: Choice,
  maxTokens: number,
): JudgeReply => {
  const text = content ?? '';
  if (finish_reason === 'length') {
    const hint = /^\s*[{`]/.test(text)
      ? ''
      : '; serve a judge that thinks before it replies with its thinking turned off';
    return unreadable(`the judge's reply was cut off after ${maxTokens} tokens${hint}`);
  }
  if (text.trim() === '' && (reasoning_content || reasoning))
    return unreadable(
      "the server has put all of the judge's reply into its reasoning; serve the judge without a reasoning parser",
    );
  return { kind: 'reply', text };
};

const mostBytes = 1024 * 1024;

const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
/** For what several questions share, which none of them gives up. */
const never = new AbortController().signal;

/** A server may say the model's dated release where it was asked for the model: `gpt-5` and `gpt-5-2026-01-31`. */
const isModel = (said: string, asked: string): boolean =>
  said === asked || (said.startsWith(asked) && /^-\d{4}-?\d{2}-?\d{2}$/.test(said.slice(asked.length)));

/**
 * One server of a judge. Before its first question, and again after it was away, it has to list the model; a reply that
 * names another model is none. A server that refuses the key or has another model is not asked again.
 */
export class JudgeEndpoint {
  readonly url: string;
  inFlight = 0;
  readonly #options: JudgeEndpointOptions;
  readonly #headers: Readonly<Record<string, string>>;
  #refusal: LensmithError | undefined;
  #checked: Promise<JudgeReply | undefined> | undefined;
  #pausedUntil = 0;
  #isTold = false;
  /** Other names under which the server has the same weights: vLLM replies as the first of them. */
  #aliases: readonly string[] = [];

  constructor(options: JudgeEndpointOptions) {
    this.url = apiBase(options.url);
    this.#options = options;
    this.#headers = options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {};
  }

  /** Another server answered what this one failed. Told once. */
  outdone(reason: string): void {
    if (!this.#isTold) this.#options.onNote?.(`${this.url} fails what other servers of the judge answer: ${reason}`);
    this.#isTold = true;
  }

  /** Why it is not asked any more. */
  get refusal(): LensmithError | undefined {
    return this.#refusal;
  }

  /** Milliseconds for which it asked to be left alone. */
  get pauseMs(): number {
    return Math.max(0, this.#pausedUntil - performance.now());
  }

  /**
   * Asks once, within the time of a request. Never rejects.
   *
   * @param until - `performance.now()` at which the question's time is over.
   */
  async ask(messages: ReturnType<typeof judgeMessages>, until: number, signal: AbortSignal): Promise<JudgeReply> {
    const { model, maxTokens, timeoutMs } = this.#options;
    this.inFlight += 1;
    try {
      const fault = await this.#check();
      if (fault) return fault;
      const body = Buffer.from(JSON.stringify({ model, messages, temperature: 0, max_tokens: maxTokens }));
      const totalMs = Math.max(1, Math.min(timeoutMs, until - performance.now()));
      const found = await this.#exchange('chat/completions', { body, totalMs, signal }, completionSchema);
      if (!found.value) return found.fault;
      const said = found.value.model ?? model;
      if (!isModel(said, model) && !this.#aliases.includes(said)) return this.#otherModel(said);
      const [choice] = found.value.choices;
      return choice ? replyOf(choice, maxTokens) : unreadable('the judge gave no reply');
    } finally {
      this.inFlight -= 1;
    }
  }

  /** Several callers share one look at the models. */
  #check(): Promise<JudgeReply | undefined> {
    this.#checked ??= this.#look();
    return this.#checked;
  }

  async #look(): Promise<JudgeReply | undefined> {
    const { model, timeoutMs } = this.#options;
    const limits = { totalMs: Math.min(timeoutMs, 10_000), signal: never };
    const { value, fault } = await this.#exchange('models', limits, modelsSchema);
    if (!value) {
      this.#checked = undefined;
      return fault;
    }
    const served = value.data.map(({ id }) => id);
    const root = value.data.find(({ id }) => id === model)?.root;
    this.#aliases = value.data.flatMap((card) => (root && card.root === root ? [card.id] : []));
    return served.includes(model) ? undefined : this.#otherModel(served.join(', ') || 'none');
  }

  async #exchange<T>(
    path: string,
    request: Pick<ExchangeOptions, 'body' | 'totalMs' | 'signal'>,
    schema: z.ZodType<T>,
  ): Promise<{ value: T; fault?: never } | { value?: never; fault: JudgeReply }> {
    const url = `${this.url}/${path}`;
    const came = await exchange({
      agent,
      url,
      headers: this.#headers,
      maxBytes: mostBytes,
      stallMs: request.totalMs,
      ...request,
    });
    if (came.kind === 'lost') return { fault: this.#noted(replyOfLoss(came)) };
    if (came.status !== 200) return { fault: this.#noted(replyOfStatus(came, url)) };
    const { data, error } = schema.safeParse(parseJson(came.body));
    if (error) return { fault: this.#noted(replyOfUnread(z.prettifyError(error), url)) };
    return { value: data };
  }

  #otherModel(found: string): JudgeReply {
    const reason = `expected ${this.url} to serve the judge "${this.#options.model}", it has ${found}`;
    return this.#noted({ kind: 'refused', type: 'config', reason });
  }

  #noted(reply: JudgeReply): JudgeReply {
    if (reply.kind === 'refused') this.#refusal ??= new LensmithError(reply.type, reply.reason, { where: this.url });
    if (reply.kind !== 'retry') return reply;
    if (reply.away) this.#checked = undefined;
    if (reply.afterMs !== null) this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + reply.afterMs);
    return reply;
  }
}
