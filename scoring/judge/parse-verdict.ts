import { z } from 'zod';
import { type JudgeSaying, judgeSayings } from '../../domain/judge.ts';
import type { Grade } from '../../domain/verdict.ts';

/** What a judge said, or why its reply says nothing. */
export type ReadReply =
  | { readonly kind: 'verdict'; readonly verdict: JudgeSaying; readonly reason: string }
  | { readonly kind: 'unreadable'; readonly reason: string };

const replySchema = z.strictObject({ verdict: z.enum(judgeSayings), reason: z.string().default('') });

const unreadable = (reason: string): ReadReply => ({ kind: 'unreadable', reason });

const stringToken = /"(?:[^"\\]|\\.)*"/g;

/** Members of the outermost object as they are written; `JSON.parse` keeps only the last of those with one name. */
const membersWritten = (json: string): number => json.replaceAll(stringToken, '_').match(/_\s*:/g)?.length ?? 0;

/** The other verdict as the first words of a reason; "Correct answer: a cat" for a wrong one is no such thing. */
const opposite: Readonly<Record<JudgeSaying, RegExp>> = {
  correct: /^\W*(?:wrong|incorrect|not correct|false|no)\s*(?:[,.;:!-]|$)/i,
  wrong: /^\W*(?:correct|right|true|yes)\s*(?:[,.;:!-]|$)/i,
  'cannot tell': /^\W*(?:correct|wrong|incorrect)\s*(?:[,.;:!-]|$)/i,
};

/** A reason that begins with the other verdict, or names one, was written by somebody who says both. */
const contradicts = (verdict: JudgeSaying, reason: string): boolean => {
  if (opposite[verdict].test(reason)) return true;
  const named = [
    ...reason.matchAll(/verdict\W{0,12}(?:is|should be|must be)?\W{0,4}(correct|wrong|incorrect|cannot tell)/gi),
  ];
  return named.some(([, said]) => said?.toLowerCase() !== verdict);
};

/** What a model thinks before it replies; its template may have begun it, so that only its end is there. */
const thoughts = /^(?![{`])(?:(?!<\/think>).)*<\/think>\s*/s;

/**
 * Reads a judge's reply: one JSON object, alone or in a fence, that says one thing; thoughts may stand before it. Anything
 * else is no verdict.
 */
export const readReply = (reply: string): ReadReply => {
  const text = reply
    .trim()
    .replace(thoughts, '')
    .replace(/^```(?:json)?[^\S\n]*\n?([\s\S]*?)\s*```$/, '$1');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unreadable('the judge did not reply with one JSON object');
  }
  const parsed = replySchema.safeParse(value);
  if (!parsed.success) return unreadable('the reply of the judge has no readable verdict');
  if (membersWritten(text) !== Object.keys(value as object).length)
    return unreadable('the reply of the judge has a member twice');
  const { verdict, reason } = parsed.data;
  if (contradicts(verdict, reason)) return unreadable('the reason of the judge contradicts its verdict');
  return { kind: 'verdict', verdict, reason: reason.trim() || 'the judge gave no reason' };
};

/** The grade that a reply stands for; `judge_failed` where the judge cannot tell or says nothing readable. */
export const gradeOfReply = (reply: ReadReply): Grade => {
  if (reply.kind === 'unreadable') return { verdict: 'judge_failed', decidedBy: 'none', reason: reply.reason };
  return reply.verdict === 'cannot tell'
    ? { verdict: 'judge_failed', decidedBy: 'none', reason: `the judge cannot tell: ${reply.reason}` }
    : { verdict: reply.verdict, decidedBy: 'judge', reason: reply.reason };
};

export const parseVerdict = (reply: string): Grade => gradeOfReply(readReply(reply));
