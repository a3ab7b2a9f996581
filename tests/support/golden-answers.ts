import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { answerKinds } from '../../domain/answer-kind.ts';
import { extractAnswer } from '../../scoring/rules/extract-answer.ts';
import { applyRule } from '../../scoring/rules/kinds.ts';
import type { MathWorker } from '../../scoring/rules/math-comparison.ts';

/**
 * A line of `tests/golden/answers.jsonl`. `verdict` is a reader's: `unparsed` for a reply that gives no one answer,
 * `judge` for one whose words have to be understood before they can be compared.
 */
const goldenAnswerSchema = z.strictObject({
  kind: z.enum(answerKinds),
  reference: z.string(),
  reply: z.string(),
  options: z.array(z.string()).optional(),
  question: z.string().optional(),
  verdict: z.enum(['correct', 'wrong', 'unparsed', 'judge']),
  why: z.string(),
});
export type GoldenAnswer = z.infer<typeof goldenAnswerSchema>;

export const readGoldenAnswers = async (): Promise<GoldenAnswer[]> => {
  const text = await readFile(new URL('../golden/answers.jsonl', import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => goldenAnswerSchema.parse(JSON.parse(line)));
};

/** The question as a model sees it: its options on lines of their own. */
export const questionOf = ({ question = 'What is it?', options = [] }: GoldenAnswer): string =>
  [question, ...options.map((option, index) => `${String.fromCharCode(65 + index)}. ${option}`)].join('\n');

/** What the rules make of a row. */
export const ruleOutcome = async (
  row: GoldenAnswer,
  worker: MathWorker,
): Promise<{ outcome: 'correct' | 'wrong' | 'unparsed' | 'judge' | 'infra_error'; reason: string }> => {
  const extraction = extractAnswer(row.reply);
  if (!extraction.found) return { outcome: 'unparsed', reason: extraction.reason };
  const asked = { reference: row.reference, answer: extraction.text, question: questionOf(row) };
  const decision = await applyRule(row.kind, asked, () => worker);
  const { reason } = decision;
  if (decision.decided) return { outcome: decision.correct ? 'correct' : 'wrong', reason };
  if ('outage' in decision) return { outcome: 'infra_error', reason };
  return { outcome: decision.parsed ? 'judge' : 'unparsed', reason };
};
