import { listRule } from './list-rule.ts';
import { numberRule } from './number-rule.ts';
import { parseQuantity } from './parse-number.ts';
import type { RuleDecision, RuleQuestion } from './rule.ts';
import { textRule } from './text-rule.ts';

/** ChartQA (arXiv 2203.10244, section 5) takes a number within five percent of the reference. */
export const chartTolerance = { relative: 0.05, ofWholes: true } as const;

const looksLikeYear = /^(?:1[5-9]|20)\d\d$|^2100$/;

/** True where a reference is a year: four digits without any sign, and a question that does not ask how many. */
export const isYear = (reference: string, question = ''): boolean =>
  looksLikeYear.test(reference.trim()) &&
  (/\byears?\b|\bwhen\b/i.test(question) ||
    !/\bhow (?:many|much)\b|\b(?:value|number of|total|sum|average)\b/i.test(question));

/**
 * Relaxed accuracy: a number within five percent, but a year exactly, against the published rule, which takes 2012
 * for 2019; a list item by item; any other text as the text rule.
 */
export const chartRule = ({ reference, answer, question }: RuleQuestion): RuleDecision => {
  if (/^\[.*\]$/s.test(reference.trim())) return listRule(reference, answer, chartTolerance);
  if (isYear(reference, question)) return numberRule(reference, answer, { relative: 0 });
  return parseQuantity(reference) ? numberRule(reference, answer, chartTolerance) : textRule(reference, answer);
};
