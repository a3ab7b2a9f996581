import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { agreementInterval } from './agreement-interval.ts';
import type { Judge } from './judge-client.ts';

const pairSchema = z.strictObject({
  question: z.string(),
  reference: z.string(),
  answer: z.string(),
  label: z.enum(['correct', 'wrong']),
});
/** An answer with the verdict that a person gave it. */
export type LabelledAnswer = z.infer<typeof pairSchema>;

/** How often a judge says what people said. `low` and `high` are the Wilson 95 % interval of `agreement`. */
export interface JudgeAudit {
  readonly pairs: number;
  readonly agreed: number;
  /** Pairs on which it abstained or failed; they count as disagreement. */
  readonly undecided: number;
  readonly agreement: number;
  readonly low: number;
  readonly high: number;
  /** True where the interval does not rise above one half, what a coin agrees with on balanced labels. */
  readonly atChance: boolean;
}

/** Our labelled answers, as many right as wrong. */
export const readAuditPairs = async (): Promise<LabelledAnswer[]> => {
  const text = await readFile(join(import.meta.dirname, 'audit.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => pairSchema.parse(JSON.parse(line)));
};

/** Asks a judge about labelled answers, one after the other, and counts where it agrees. */
export const auditJudge = async (judge: Judge, pairs?: readonly LabelledAnswer[]): Promise<JudgeAudit> => {
  const labelled = pairs ?? (await readAuditPairs());
  let agreed = 0;
  let undecided = 0;
  for (const { label, ...question } of labelled) {
    const { verdict } = await judge(question);
    if (verdict === label) agreed += 1;
    else if (verdict === 'judge_failed') undecided += 1;
  }
  const [low, high] = agreementInterval(agreed, labelled.length);
  const agreement = labelled.length === 0 ? 0 : agreed / labelled.length;
  return { pairs: labelled.length, agreed, undecided, agreement, low, high, atChance: low <= 0.5 };
};
