import { parseNumber } from './parse-number.ts';
import { normaliseText } from './text-rule.ts';

const leading = /^(?:(?:so|thus|therefore|hence)\s+)?(?:it is|it s|this is|they are|there is|there are)\s+/;
const article = /^(?:the|a|an)\s+/;

/** A text as options are compared: without case, punctuation, an opening "it is" and an article. */
const bare = (text: string): string => normaliseText(text).replace(leading, '').replace(article, '');

/**
 * The letter of the one option whose text an answer has, in words or as the same number; undefined where no option
 * has it, or more than one.
 */
export const letterOfText = (text: string, options: ReadonlyMap<string, string>): string | undefined => {
  const exact = [...options].filter(([, option]) => normaliseText(option) === normaliseText(text));
  if (exact.length === 1) return exact[0]?.[0];
  const given = bare(text);
  if (given === '') return undefined;
  const value = parseNumber(text);
  const same = [...options].filter(([, option]) => {
    if (bare(option) === given) return true;
    return value !== undefined && parseNumber(option) === value;
  });
  return same.length === 1 ? same[0]?.[0] : undefined;
};
