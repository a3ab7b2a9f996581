import { findStatement } from './find-statement.ts';

/** The part of a reply that is its answer, and how it was found; or why there is none. */
export type Extraction =
  | { readonly found: true; readonly text: string; readonly by: 'marks' | 'boxed' | 'anchor' | 'alone' }
  | { readonly found: false; readonly reason: string };

// The same reading as that of the episodes: a mark that is opened again starts anew.
const marked = /<answer>((?:(?!<answer>).)*?)<\/answer>/gs;

/** What a reply may consist of for being an answer by itself: a letter, or a number with at most one word. */
const alone = /^(?:\(?[A-Z]\)?[.)]?|[$€£¥]?\s?[+-]?\d[\d.,/]*(?:\s?(?:%|\p{L}+))?\.?)$/u;

/**
 * Finds the answer in a reply: inside the last `<answer>` pair; else what the reply states with words that are there
 * for it; else all of it where it is nothing but a letter or a number. Never a letter or a number out of free text.
 */
export const extractAnswer = (reply: string): Extraction => {
  const inside = [...reply.matchAll(marked)].at(-1)?.[1]?.trim();
  if (inside !== undefined)
    return inside === '' ? { found: false, reason: 'the answer is empty' } : { found: true, text: inside, by: 'marks' };
  const own = reply
    .replaceAll(/<think>.*?<\/think>/gs, ' ')
    .replaceAll(/<code>.*?<\/code>|```.*?```/gs, ' ')
    .trim();
  if (alone.test(own)) return { found: true, text: own, by: 'alone' };
  return findStatement(own);
};
