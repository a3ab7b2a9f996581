import type { AnswerKind } from '../../domain/answer-kind.ts';
import { chartRule } from './chart-rule.ts';
import { choiceRule } from './choice-rule.ts';
import { documentRule } from './document-rule.ts';
import { listRule } from './list-rule.ts';
import type { MathWorker } from './math-comparison.ts';
import { type MathDecision, mathRule } from './math-rule.ts';
import { narrow, numberRule, type Tolerance } from './number-rule.ts';
import { ocrRule } from './ocr-rule.ts';
import { parseOptions } from './parse-options.ts';
import { type RuleQuestion, unparsed } from './rule.ts';
import { textRule } from './text-rule.ts';

/** The rule of a kind of answer, and how far a number may be off. */
export interface KindRule {
  readonly rule: 'number' | 'choice' | 'text' | 'list' | 'math' | 'chart' | 'document' | 'ocr';
  readonly tolerance?: Tolerance;
}

/** A whole reference is compared exactly in all of them but `chart`. */
export const kindRules = {
  number: { rule: 'number', tolerance: narrow },
  count: { rule: 'number', tolerance: { relative: 0 } },
  year: { rule: 'number', tolerance: { relative: 0 } },
  choice: { rule: 'choice' },
  text: { rule: 'text' },
  list: { rule: 'list', tolerance: narrow },
  math: { rule: 'math' },
  chart: { rule: 'chart' },
  document: { rule: 'document' },
  ocr: { rule: 'ocr' },
} as const satisfies Record<AnswerKind, KindRule>;

/** A longer answer is no answer but a text, out of which a rule would only pick. */
const longestAnswer = 1000;

/** Lets the rule of a kind of answer decide. The worker is asked only where mathematics needs it. */
export const applyRule = async (
  kind: AnswerKind,
  asked: RuleQuestion,
  worker: () => MathWorker,
): Promise<MathDecision> => {
  const { rule, tolerance = narrow }: KindRule = kindRules[kind];
  const { reference, answer, question = '' } = asked;
  if (answer.length > Math.max(longestAnswer, 4 * reference.length))
    return unparsed(`the answer is longer than ${longestAnswer} characters`);
  switch (rule) {
    case 'number':
      return numberRule(reference, answer, tolerance);
    case 'choice':
      return choiceRule(reference, answer, asked.options ?? parseOptions(question));
    case 'text':
      return textRule(reference, answer);
    case 'list':
      return listRule(reference, answer, tolerance);
    case 'math':
      return mathRule(reference, answer, worker());
    case 'chart':
      return chartRule(asked);
    case 'document':
      return documentRule(reference, answer);
    case 'ocr':
      return ocrRule(reference, answer);
  }
};
