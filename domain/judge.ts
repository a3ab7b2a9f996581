import { z } from 'zod';

/** Kinds of questions for which the judge has a prompt of its own. */
export const judgeKinds = ['general', 'ocr', 'chart', 'mathematics'] as const;
export type JudgeKind = (typeof judgeKinds)[number];

/** What a judge may say of an answer. */
export const judgeSayings = ['correct', 'wrong', 'cannot tell'] as const;
export type JudgeSaying = (typeof judgeSayings)[number];

/**
 * Whether a judge has to pass the audit before it decides: `required` refuses one that did not, `force` lets it decide
 * and every result says so, `off` does not audit it, and every result says that.
 */
export const judgeAuditPolicies = ['required', 'force', 'off'] as const;
export type JudgeAuditPolicy = (typeof judgeAuditPolicies)[number];

/** Which pairs of the audit the prompts were written with, and which were kept from that. */
export const auditSplits = ['design', 'held-out'] as const;

/** One thing that the audit measures; `low` and `high` are the Wilson 95 % interval of `share`. */
export const auditMeasureSchema = z.strictObject({
  name: z.enum(['agreement', 'sensitivity', 'specificity', 'adversarial', 'held-out']),
  agreed: z.int().nonnegative(),
  pairs: z.int().nonnegative(),
  share: z.number(),
  low: z.number(),
  high: z.number(),
  /** What `low` has to reach. */
  required: z.number(),
  passed: z.boolean(),
});
export type AuditMeasure = z.infer<typeof auditMeasureSchema>;

/** How a judge did on the pairs of one split; nothing is required of these shares beside the measures. */
export const auditSplitSchema = z.strictObject({
  split: z.enum(auditSplits),
  measures: z.array(auditMeasureSchema.omit({ required: true, passed: true })),
});
export type AuditSplit = z.infer<typeof auditSplitSchema>;

/** How often a judge said what, of the pairs with one label; `no verdict` are replies that could not be read. */
const confusionSchema = z.strictObject({
  correct: z.int().nonnegative(),
  wrong: z.int().nonnegative(),
  'cannot tell': z.int().nonnegative(),
  'no verdict': z.int().nonnegative(),
});
export type AuditConfusion = z.infer<typeof confusionSchema>;

/** What a judge made of the labelled pairs. */
export const judgeAuditSchema = z.strictObject({
  version: z.literal(1),
  judge: z.string(),
  /** Version of all prompts of the judge. */
  prompts: z.string(),
  /** SHA-256 of the labelled pairs, its first characters. */
  auditSet: z.string(),
  /** ISO date. */
  at: z.string(),
  pairs: z.int().positive(),
  /** Pairs that were asked; fewer than `pairs` where it was stopped as soon as it could not be passed any more. */
  asked: z.int().nonnegative(),
  passed: z.boolean(),
  measures: z.array(auditMeasureSchema),
  splits: z.array(auditSplitSchema).default([]),
  confusion: z.strictObject({ correct: confusionSchema, wrong: confusionSchema }),
  disagreements: z.array(
    z.strictObject({ id: z.string(), label: z.enum(['correct', 'wrong']), said: z.string(), reason: z.string() }),
  ),
});
export type JudgeAudit = z.infer<typeof judgeAuditSchema>;

/** How a judge stands in a result. */
export const judgeStandingSchema = z.strictObject({
  id: z.string(),
  prompts: z.string(),
  policy: z.enum(judgeAuditPolicies),
  /** `not_needed`: no answer needed the judge, so it was not audited. `unfinished`: the judge was away. */
  audit: z.enum(['passed', 'failed', 'not_needed', 'unfinished', 'off']),
  /** Whether its verdicts counted. */
  decides: z.boolean(),
  note: z.string(),
});
export type JudgeStanding = z.infer<typeof judgeStandingSchema>;
