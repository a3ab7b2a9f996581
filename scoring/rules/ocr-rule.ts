import { anls, hasWords, referenceForms } from './document-rule.ts';
import { findStatement } from './find-statement.ts';
import { plainText } from './plain-text.ts';
import { decide, type RuleDecision, undecided } from './rule.ts';
import { normaliseText } from './text-rule.ts';

/** An answer with more words than this beside the reference may have it in it by chance. */
const wordsBeside = 8;
const denial = /\b(?:not|no|isn't|instead of|rather than|cannot|can't|or|maybe|either)\b/i;

/**
 * Whether the reference is in the answer as whole words, as OCRBench counts it but for two traps of it: `1` is not in
 * `12`, and a long answer, or one that denies, has the words in it by chance. These are left to the judge.
 */
export const ocrRule = (reference: string, answer: string): RuleDecision => {
  const statement = findStatement(plainText(answer));
  const text = plainText(statement.found ? statement.text : answer);
  const given = normaliseText(text);
  const forms = referenceForms(reference)
    .map((form) => normaliseText(plainText(form)))
    .filter((form) => form !== '');
  if (forms.includes(given)) return decide(true, 'the same text');
  const joined = given.replaceAll(' ', '');
  if (forms.some((form) => form.replaceAll(' ', '') === joined)) return decide(true, 'the same text but for spaces');
  const inside = forms.find((form) => hasWords(given, form));
  if (inside === undefined) {
    const best = Math.max(0, ...forms.map((form) => anls(form, given)));
    return best === 0 && !forms.some((form) => joined.includes(form.replaceAll(' ', '')))
      ? decide(false, 'the reference is not in the answer')
      : undecided('nearly the reference');
  }
  const beside = given.split(' ').length - inside.split(' ').length;
  if (beside > (inside.length <= 2 ? 2 : wordsBeside) && !/\b(?:says|reads|is|shows|text|number)\b/i.test(text))
    return undecided('a short reference among other words');
  if (beside > wordsBeside || denial.test(text)) return undecided('the reference is one part of what the answer says');
  const others = given.replace(inside, ' ');
  if (/^\d+$/.test(inside) && /\d/.test(others)) return undecided('the answer has other numbers too');
  return decide(true, 'the answer has the reference in it');
};
