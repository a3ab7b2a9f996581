import { z } from 'zod';
import { failureTypes } from './errors.ts';

export const phases = ['launching', 'loading', 'running', 'saving', 'stopping', 'done'] as const;

/** `progress.json` of a running program, replaced atomically, and the details of an activity's heartbeat. */
export const progressSchema = z.strictObject({
  phase: z.enum(phases),
  step: z.int().nonnegative(),
  total: z.int().nonnegative(),
  /** Unix time of the last progress, milliseconds. */
  at: z.number(),
  /** The figures worth showing beside the step, such as `reward` or `loss`. */
  figures: z.record(z.string(), z.number()).default({}),
});
export type Progress = z.infer<typeof progressSchema>;

/** `outcome.json`, written atomically as a program's last act; without one it died. */
export const outcomeSchema = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('succeeded'), details: z.record(z.string(), z.unknown()).default({}) }),
  z.strictObject({
    status: z.literal('failed'),
    failure: z.strictObject({ type: z.enum(failureTypes), message: z.string() }),
  }),
]);
export type Outcome = z.infer<typeof outcomeSchema>;

/** One line of `metrics.jsonl`. After a resume a step may stand twice: the last line of a step counts. */
export const metricsLineSchema = z.looseObject({
  step: z.int().nonnegative(),
  /** Unix time, milliseconds. */
  at: z.number(),
});
export type MetricsLine = z.infer<typeof metricsLineSchema>;

/** One line of the RL stage's `metrics.jsonl`: means over the step's episodes. */
export const rlMetricsSchema = metricsLineSchema.extend({
  reward: z.number(),
  /** Mean of each term of the reward. */
  terms: z.record(z.string(), z.number()),
  accuracy: z.number(),
  toolCallsPerEpisode: z.number(),
  /** Share of calls with outcome `ok` or `no_output`; null without calls. */
  executionSuccess: z.number().nullable(),
  /** Model tokens an episode. */
  length: z.number(),
  /** Estimate of KL(policy ‖ policy at the start of RL), nats a token. */
  kl: z.number(),
  loss: z.number(),
  gradNorm: z.number(),
  learningRate: z.number(),
  masked: z.int().nonnegative(),
  /** Episodes that the judge decided, and of those that it said something of, how many verdicts its cache had. */
  judged: z.int().nonnegative().default(0),
  judgeCached: z.int().nonnegative().default(0),
  seconds: z.strictObject({
    generation: z.number(),
    tools: z.number(),
    scoring: z.number(),
    training: z.number(),
  }),
});
export type RlMetrics = z.infer<typeof rlMetricsSchema>;
