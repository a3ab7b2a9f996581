import { z } from 'zod';

const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.int().nonnegative(), completion_tokens: z.int().nonnegative() }).nullish(),
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
  | { readonly kind: 'transient'; readonly message: string; readonly retryAfterMs?: number }
  | { readonly kind: 'refused'; readonly type: string; readonly message: string };

// The code is OpenAI's; the sentences are those of vLLM and SGLang, which send no code.
const contextLimit = /context_length_exceeded|context length|maximum model length/i;

const retryAfterMs = (header: string | undefined, now: number): number | undefined => {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
};

const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
};

/**
 * Reads the answer to `POST /v1/chat/completions`.
 *
 * @param retryAfter - The header of that name, in seconds or as a date.
 */
export const readCompletion = (status: number, body: string, retryAfter?: string): ReadCompletion => {
  const message = `the model server answered ${status}: ${body.slice(0, 300)}`;
  if (status === 408 || status === 429 || status >= 500) {
    const wait = retryAfterMs(retryAfter, Date.now());
    return { kind: 'transient', message, ...(wait === undefined ? {} : { retryAfterMs: wait }) };
  }
  if (status >= 400)
    return contextLimit.test(body)
      ? { kind: 'context_limit', message }
      : { kind: 'refused', type: status === 401 || status === 403 ? 'auth' : 'config', message };
  const parsed = completionSchema.safeParse(parseJson(body));
  const choice = parsed.data?.choices[0];
  // A body that is cut off, or a proxy's page, says nothing of the request.
  if (!choice) return { kind: 'transient', message: `expected a chat completion; ${message}` };
  return {
    kind: 'completion',
    text: choice.message.content ?? '',
    finishReason: choice.finish_reason ?? 'unknown',
    promptTokens: parsed.data?.usage?.prompt_tokens ?? 0,
    completionTokens: parsed.data?.usage?.completion_tokens ?? 0,
  };
};
