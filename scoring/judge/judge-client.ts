import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import { z } from 'zod';
import { type Grade, gradeSchema } from '../../domain/verdict.ts';
import { type JudgeQuestion, judgeMessages, judgePromptVersion } from './judge-prompt.ts';

/** Says whether an answer agrees with the reference; an outage or an unreadable reply is `judge_failed`, never a score. */
export type Judge = (question: JudgeQuestion) => Promise<Grade>;

export interface JudgeOptions {
  /** Base URL with `/v1`. */
  readonly url: string;
  readonly model: string;
  /** Verdicts are kept here by content, so that nothing is asked twice. */
  readonly cacheDir: string;
  readonly apiKey?: string;
  /** @default 60000 */
  readonly timeoutMs?: number;
  /** @default 3 */
  readonly attempts?: number;
}

const replySchema = z.object({ verdict: z.enum(['correct', 'wrong', 'cannot tell']), reason: z.string().default('') });

const failed = (reason: string): Grade => ({ verdict: 'judge_failed', decidedBy: 'none', reason });

/** Reads a judge's reply: one JSON object, alone or in a fence. Anything else is no verdict. */
export const parseVerdict = (reply: string): Grade => {
  const text = reply.trim().replace(/^```(?:json)?\s*([\s\S]*?)\s*```$/, '$1');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failed('the judge did not reply with one JSON object');
  }
  const parsed = replySchema.safeParse(value);
  if (!parsed.success) return failed('the reply of the judge has no readable verdict');
  const { verdict, reason } = parsed.data;
  return verdict === 'cannot tell'
    ? failed(`the judge cannot tell: ${reason}`)
    : { verdict, decidedBy: 'judge', reason: reason || 'the judge gave no reason' };
};

const readCache = async (path: string): Promise<Grade | undefined> => {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return gradeSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // A torn file of the cache costs one more question.
    return undefined;
  }
};

/** Opens a judge on an endpoint of the OpenAI API, at temperature 0, with a cache of its decisions on disk. */
export const createJudge = (options: JudgeOptions): Judge => {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const client = new OpenAI({
    baseURL: options.url,
    apiKey: options.apiKey ?? 'none',
    maxRetries: 0,
    timeout: timeoutMs,
  });
  /** Questions that are being asked, so that the same one is asked once also by episodes that end together. */
  const asking = new Map<string, Promise<Grade>>();

  const ask = async (question: JudgeQuestion): Promise<Grade> => {
    let last: unknown;
    for (let attempt = 0; attempt < (options.attempts ?? 3); attempt += 1) {
      try {
        const completion = await client.chat.completions.create(
          { model: options.model, messages: judgeMessages(question), temperature: 0, max_tokens: 100 },
          // The client's own limit ends with the headers; this one covers the body too.
          { signal: AbortSignal.timeout(timeoutMs) },
        );
        return parseVerdict(completion.choices[0]?.message.content ?? '');
      } catch (error) {
        last = error;
      }
    }
    return failed(`the judge did not answer: ${String(last).slice(0, 200)}`);
  };

  const decide = async (question: JudgeQuestion, path: string): Promise<Grade> => {
    const known = await readCache(path);
    if (known) return known;
    const grade = await ask(question);
    if (grade.decidedBy === 'judge') {
      const temporary = `${path}.${randomUUID()}`;
      await mkdir(options.cacheDir, { recursive: true });
      await writeFile(temporary, JSON.stringify(grade));
      await rename(temporary, path);
    }
    return grade;
  };

  return (question) => {
    const key = createHash('sha256')
      .update(
        JSON.stringify([judgePromptVersion, options.model, question.question, question.reference, question.answer]),
      )
      .digest('hex');
    const running = asking.get(key);
    if (running) return running;
    const grade = decide(question, join(options.cacheDir, `${key}.json`)).finally(() => asking.delete(key));
    asking.set(key, grade);
    return grade;
  };
};
