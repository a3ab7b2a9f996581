import { z } from 'zod';
import { parseJson } from '../domain/parse-json.ts';
import type { Exchange } from '../http/exchange.ts';
import { messageText } from '../http/message-text.ts';
import { isPassingStatus } from '../http/passing-status.ts';
import { redirectReason } from '../http/redirect-reason.ts';
import { retryAfterMs } from '../http/retry-after.ts';

type Answer = Extract<Exchange, { kind: 'answer' }>;

const tokensSchema = z.int().nonnegative().catch(0);

const takenOut = z.string().nullish().catch(undefined);

const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: messageText.nullish(),
          // Where servers put what they take out of a reply: vLLM and SGLang, newer vLLM and OpenRouter, and OpenAI.
          reasoning_content: takenOut,
          reasoning: takenOut,
          tool_calls: z.array(z.unknown()).nullish().catch(undefined),
        }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  // Not every server counts, or counts all: a turn is not lost for that.
  usage: z
    .object({ prompt_tokens: tokensSchema, completion_tokens: tokensSchema })
    .catch({ prompt_tokens: 0, completion_tokens: 0 }),
});

/** What a server's answer means: a turn, a full context, a fault worth another try, or a refusal. */
export type ReadCompletion =
  | {
      readonly kind: 'completion';
      readonly text: string;
      readonly finishReason: string;
      readonly promptTokens: number;
      readonly completionTokens: number;
    }
  | { readonly kind: 'context_limit'; readonly message: string }
  | {
      readonly kind: 'transient';
      /** `throttled`: the server has too much to do. `unreachable`: it is away. `broken`: anything else. */
      readonly fault: 'throttled' | 'unreachable' | 'broken';
      readonly message: string;
      readonly retryAfterMs?: number;
    }
  /** The server does not know the model, which it may have lost since it was looked at. */
  | { readonly kind: 'unknown_model'; readonly message: string }
  | { readonly kind: 'refused'; readonly type: string; readonly message: string };

// The code is OpenAI's; the sentences are those of vLLM, SGLang and llama.cpp, which send none. SGLang has words of its own
// for what is within the context and yet more than it takes, and for images that make a prompt too long.
const contextLimit = new RegExp(
  [
    ...['context_length_exceeded', 'context length', 'maximum model length', 'context size'],
    ...['tokens\\) exceeds the maximum allowed length', 'prompt is too long'],
  ].join('|'),
  'i',
);

/** How long the context is, in the words of vLLM, SGLang and OpenAI. */
const contextLength = /context length (?:is|of) (\d+)/i;

/** A context that is full, or one that no prompt whatever leaves room in: then it is not the model that filled it. */
const readFullContext = (body: string, message: string, maxTokens: number): ReadCompletion => {
  const length = Number(contextLength.exec(body)?.[1] ?? Number.POSITIVE_INFINITY);
  if (maxTokens < length) return { kind: 'context_limit', message };
  const expected = `expected fewer tokens of one turn than the ${length} of the server's context, got ${maxTokens}`;
  return { kind: 'refused', type: 'config', message: `${expected}; ${message}` };
};

type Message = z.infer<typeof completionSchema>['choices'][number]['message'];

/** What a server's parser has taken out of the reply so that no turn of the model's own is left; undefined where one is. */
const takenApart = ({ content, reasoning_content, reasoning, tool_calls }: Message, finish: string) => {
  if (tool_calls?.length) return { what: 'a call into tool_calls', parser: 'tool-call parser' };
  const thoughts = reasoning_content?.trim() || reasoning?.trim();
  // A model that is cut off while it thinks has said nothing: that is its own doing.
  return thoughts && !content?.trim() && finish !== 'length'
    ? { what: 'all of it into its reasoning', parser: 'reasoning parser' }
    : undefined;
};

/** A generation that the server gave up, in the words of vLLM and SGLang, of OpenRouter, and of DeepSeek. */
const givenUp: ReadonlySet<string> = new Set(['abort', 'error', 'insufficient_system_resource']);

const readAnswer = ({ status, body, retryAfter, location }: Answer, maxTokens: number): ReadCompletion => {
  const message = `the model server answered ${status}: ${body.slice(0, 300)}`;
  if (isPassingStatus(status)) {
    const wait = retryAfterMs(retryAfter);
    const fault = status === 429 || (status === 503 && retryAfter !== undefined) ? 'throttled' : 'broken';
    return { kind: 'transient', fault, message, ...(wait === undefined ? {} : { retryAfterMs: wait }) };
  }
  if (status === 404) return { kind: 'unknown_model', message };
  if (status >= 400)
    return contextLimit.test(body)
      ? readFullContext(body, message, maxTokens)
      : { kind: 'refused', type: status === 401 || status === 403 ? 'auth' : 'config', message };
  // The look at the models goes through a redirect, so it is found only here.
  if (status >= 300)
    return {
      kind: 'refused',
      type: 'config',
      message: `the model server answered ${redirectReason(status, location)}`,
    };
  const parsed = completionSchema.safeParse(parseJson(body));
  const choice = parsed.data?.choices[0];
  // A body that is cut off, or a proxy's page, says nothing of the request.
  if (!choice) return { kind: 'transient', fault: 'broken', message: `expected a chat completion; ${message}` };
  const finishReason = choice.finish_reason ?? 'unknown';
  if (givenUp.has(finishReason))
    return {
      kind: 'transient',
      fault: 'broken',
      message: `the model server gave the turn up, finish_reason "${finishReason}"; ${message}`,
    };
  const apart = takenApart(choice.message, finishReason);
  if (apart)
    return {
      kind: 'refused',
      type: 'config',
      message: `expected the model's own text as content, the server has put ${apart.what}; serve the model without a ${apart.parser}; ${message}`,
    };
  return {
    kind: 'completion',
    text: choice.message.content ?? '',
    finishReason,
    promptTokens: parsed.data?.usage.prompt_tokens ?? 0,
    completionTokens: parsed.data?.usage.completion_tokens ?? 0,
  };
};

/**
 * Reads what came of `POST /v1/chat/completions`.
 *
 * @param maxTokens - What the request asked for at most.
 */
export const readCompletion = (came: Exchange, maxTokens: number): ReadCompletion => {
  if (came.kind === 'answer') return readAnswer(came, maxTokens);
  const { fault, message } = came;
  // A server that writes without end does so again.
  if (fault === 'oversized') return { kind: 'refused', type: 'infrastructure', message };
  return { kind: 'transient', fault: fault === 'unreachable' ? 'unreachable' : 'broken', message };
};
