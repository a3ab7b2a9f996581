import { z } from 'zod';
import { judgeStandingSchema } from './judge.ts';
import { protocolRefSchema } from './protocol.ts';

/** What a result depends on besides the samples; results of different fingerprints are not compared. */
export const fingerprintSchema = z.strictObject({
  model: z.string(),
  protocol: protocolRefSchema,
  prompt: z.enum(['protocol', 'dataset']),
  temperature: z.number(),
  topP: z.number(),
  maxTokens: z.int(),
  seed: z.int().nullable(),
  isolation: z.string(),
  scoring: z.string(),
});
export type Fingerprint = z.infer<typeof fingerprintSchema>;

/** Figures of one slice. `low` and `high` are the Wilson 95 % interval of `accuracy`, a share of all samples. */
export const sliceSchema = z.strictObject({
  family: z.string(),
  transform: z.string(),
  samples: z.int().nonnegative(),
  correct: z.int().nonnegative(),
  accuracy: z.number(),
  low: z.number(),
  high: z.number(),
  /** Accuracy if every undecided sample were right. With `accuracy` it bounds the truth. */
  accuracyIfUndecidedRight: z.number(),
  /** Samples without a verdict of right or wrong. */
  undecided: z.int().nonnegative(),
  toolCallsPerEpisode: z.number(),
  /** Share of episodes with at least one call. */
  toolShare: z.number(),
  /** Share of calls with outcome `ok` or `no_output`; null without calls. */
  executionSuccess: z.number().nullable(),
});
export type Slice = z.infer<typeof sliceSchema>;

/** `result.json` of one evaluation: one model on one data set. `all` in family or transform means every one. */
export const evaluationResultSchema = z.strictObject({
  version: z.literal(1),
  /** Name in tables: `base`, `sft`, `rl`. */
  model: z.string(),
  /** `checkpoint-40`, or `model` for a final one. */
  checkpoint: z.string(),
  modelDigest: z.string(),
  dataset: z.string(),
  datasetDigest: z.string(),
  fingerprint: fingerprintSchema,
  slices: z.array(sliceSchema),
  endings: z.record(z.string(), z.int()),
  verdicts: z.record(z.string(), z.int()),
  judgeDecided: z.int().nonnegative(),
  /** The judge behind the rules and how it stands; null or absent where there was none. */
  judge: judgeStandingSchema.nullable().optional(),
  seconds: z.number(),
});
export type EvaluationResult = z.infer<typeof evaluationResultSchema>;
