import { Agent, request } from 'undici';
import { z } from 'zod';
import { LensmithError } from '../../domain/errors.ts';
import type { judgeMessages } from './judge-prompt.ts';
import { type JudgeReply, replyOfError, replyOfStatus } from './judge-reply.ts';

export interface JudgeEndpointOptions {
  /** Base URL; `/v1` at its end may be left out. */
  readonly url: string;
  readonly model: string;
  readonly apiKey: string | undefined;
  /** Milliseconds for a request with its body. */
  readonly timeoutMs: number;
  readonly maxTokens: number;
}

const modelsSchema = z.object({ data: z.array(z.object({ id: z.string() })) });

const completionSchema = z.object({
  // An old server may leave it out; the list of models was checked in any case.
  model: z.string().nullish(),
  choices: z
    .array(z.object({ finish_reason: z.string().nullish(), message: z.object({ content: z.string().nullish() }) }))
    .min(1),
});

const mostBytes = 1024 * 1024;

/** `fetch` would cost more than all else that is done for a question. */
const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

const readText = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error(`expected at most ${mostBytes} bytes, more came`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

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

  constructor(options: JudgeEndpointOptions) {
    const base = options.url.replace(/\/+$/, '');
    this.url = base.endsWith('/v1') ? base : `${base}/v1`;
    this.#options = options;
    this.#headers = {
      'content-type': 'application/json',
      ...(options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {}),
    };
  }

  /** Why it is not asked any more. */
  get refusal(): LensmithError | undefined {
    return this.#refusal;
  }

  /** Milliseconds for which it asked to be left alone. */
  get pauseMs(): number {
    return Math.max(0, this.#pausedUntil - performance.now());
  }

  /** Asks once, within the time of a request. Never rejects. */
  async ask(messages: ReturnType<typeof judgeMessages>, signal: AbortSignal): Promise<JudgeReply> {
    const { model, maxTokens, timeoutMs } = this.#options;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    this.inFlight += 1;
    try {
      const fault = await this.#check();
      if (fault) return fault;
      const body = JSON.stringify({ model, messages, temperature: 0, max_tokens: maxTokens });
      const found = await this.#exchange('chat/completions', { method: 'POST', body, signal: limit }, completionSchema);
      if (!found.value) return found.fault;
      const said = found.value.model ?? model;
      if (!isModel(said, model)) return this.#otherModel(said);
      const [choice] = found.value.choices;
      if (choice?.finish_reason === 'length')
        return { kind: 'rejected', reason: `the judge's reply was cut off after ${maxTokens} tokens` };
      return { kind: 'reply', text: choice?.message.content ?? '' };
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
    const signal = AbortSignal.timeout(Math.min(timeoutMs, 10_000));
    const { value, fault } = await this.#exchange('models', { signal }, modelsSchema);
    if (!value) {
      this.#checked = undefined;
      return fault;
    }
    const served = value.data.map(({ id }) => id);
    return served.includes(model) ? undefined : this.#otherModel(served.join(', ') || 'none');
  }

  /** One request and its whole answer; the signal covers both. */
  async #exchange<T>(
    path: string,
    init: { method?: 'POST'; body?: string; signal: AbortSignal },
    schema: z.ZodType<T>,
  ): Promise<{ value: T; fault?: never } | { value?: never; fault: JudgeReply }> {
    const url = `${this.url}/${path}`;
    try {
      const { statusCode, headers, body } = await request(url, { ...init, headers: this.#headers, dispatcher: agent });
      const text = await readText(body);
      const wait = headers['retry-after'];
      if (statusCode !== 200)
        return {
          fault: this.#noted(replyOfStatus(statusCode, text, (Array.isArray(wait) ? wait[0] : wait) ?? null, url)),
        };
      return { value: schema.parse(JSON.parse(text)) };
    } catch (error) {
      return { fault: this.#noted(replyOfError(error, url)) };
    }
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
