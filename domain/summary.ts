import { z } from 'zod';
import { usageEntrySchema, usageLedgerSchema, usageTotalSchema } from './gpu-hours.ts';

export const stageStates = ['pending', 'running', 'cached', 'completed', 'failed', 'cancelled', 'skipped'] as const;
export type StageState = (typeof stageStates)[number];

/** `report/summary.json`: what a program reads of a finished run. */
export const summarySchema = z.strictObject({
  version: z.literal(1),
  run: z.string(),
  name: z.string(),
  seed: z.int(),
  stages: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(stageStates),
      attempts: z.int().nonnegative(),
      seconds: z.number().nonnegative(),
    }),
  ),
  evaluations: z.array(
    z.strictObject({
      model: z.string(),
      checkpoint: z.string(),
      dataset: z.string(),
      family: z.string(),
      transform: z.string(),
      samples: z.int(),
      accuracy: z.number(),
      low: z.number(),
      high: z.number(),
      toolCallsPerEpisode: z.number(),
      toolShare: z.number(),
      executionSuccess: z.number().nullable(),
      undecided: z.int(),
    }),
  ),
  judge: z.strictObject({
    model: z.string().nullable(),
    /** Verdicts of this run that the judge decided. */
    decided: z.int().nonnegative(),
    note: z.string(),
  }),
  promoted: z
    .strictObject({
      checkpoint: z.string(),
      path: z.string(),
      digest: z.string(),
      decision: z.string(),
      why: z.string(),
    })
    .nullable(),
  /** What the run's programs held, by what came of it; null in a summary from before this was written down. */
  hours: z
    .strictObject({
      totals: z.array(usageTotalSchema),
      attempts: z.array(
        usageEntrySchema.pick({ stage: true, attempt: true, unit: true, count: true, ending: true, hours: true }),
      ),
      budget: usageLedgerSchema.shape.budget,
    })
    .nullable()
    .default(null),
  isolation: z.string(),
});
export type Summary = z.infer<typeof summarySchema>;
