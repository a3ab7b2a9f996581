import { z } from 'zod';

/** What is known of an answer. The last four are undecided: they widen the bounds and are never counted as wrong. */
export const verdicts = ['correct', 'wrong', 'unparsed', 'judge_failed', 'infra_error', 'limit'] as const;
export type Verdict = (typeof verdicts)[number];

/** Who may have decided; `none` where nobody could. */
export const deciders = ['rule', 'judge', 'none'] as const;

/** Who decided, and why, in a short sentence. */
export const gradeSchema = z.strictObject({
  verdict: z.enum(verdicts),
  decidedBy: z.enum(deciders),
  reason: z.string(),
  /** Name of the rule that read the answer; the judge may have decided after it. */
  rule: z.string().optional(),
});
export type Grade = z.infer<typeof gradeSchema>;
