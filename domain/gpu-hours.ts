import { z } from 'zod';
import { failureTypes } from './errors.ts';
import { usageUnits } from './gpu-hours-facts.ts';

/**
 * Where time goes, each as the hours of a unit: one GPU, or one processor slot, held for an hour.
 *
 * - `productive`: work whose result is kept, and evaluations that are being answered.
 * - `starting`: from the start of a program to its first step or its first answer.
 * - `stalled`: a program that made no progress.
 * - `wasted`: work after the checkpoint from which the next attempt went on, or would.
 * - `idle`: a server that nobody asks, and what was leased while no program used it.
 */
export const usageCategories = ['productive', 'starting', 'stalled', 'wasted', 'idle'] as const;
export type UsageCategory = (typeof usageCategories)[number];

const hours = z.number().nonnegative();
export const usageHoursSchema = z.strictObject({
  productive: hours,
  starting: hours,
  stalled: hours,
  wasted: hours,
  idle: hours,
});
export type UsageHours = z.infer<typeof usageHoursSchema>;

/** One attempt of a stage's program. */
export const usageEntrySchema = z.strictObject({
  stage: z.string(),
  attempt: z.int().positive(),
  unit: z.enum(usageUnits),
  count: z.int().nonnegative(),
  /** Unix time, milliseconds; `endedAt` is null while it is under way. */
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  /** How it ended: `succeeded`, `stopped` by request, a class of failure; `running` while it is under way. */
  ending: z.union([z.enum(failureTypes), z.enum(['running', 'succeeded', 'stopped'])]),
  /** Seconds of its life, whatever it held. */
  seconds: usageHoursSchema,
  hours: usageHoursSchema,
});
export type UsageEntry = z.infer<typeof usageEntrySchema>;

export const usageTotalSchema = usageHoursSchema.extend({ unit: z.enum(usageUnits), total: hours });
export type UsageTotal = z.infer<typeof usageTotalSchema>;

/** What a run has used. */
export const usageLedgerSchema = z.strictObject({
  entries: z.array(usageEntrySchema),
  /** Unit hours that were leased while nothing of the run used them; not part of an entry. */
  idleLeases: z.array(z.strictObject({ unit: z.enum(usageUnits), hours })),
  /** One for each unit that the run used. */
  totals: z.array(usageTotalSchema),
  budget: z
    .strictObject({
      unit: z.enum(usageUnits),
      used: hours,
      limit: z.number().positive(),
      /** Times at which a warning was given, and at which a stage was stopped for it. */
      warnedAt: z.number().nullable(),
      stoppedAt: z.number().nullable(),
    })
    .nullable(),
});
export type UsageLedger = z.infer<typeof usageLedgerSchema>;

export const noHours: UsageHours = { productive: 0, starting: 0, stalled: 0, wasted: 0, idle: 0 };

export const totalHours = (of: UsageHours): number => usageCategories.reduce((sum, name) => sum + of[name], 0);

export const addHours = (a: UsageHours, b: UsageHours): UsageHours => ({
  productive: a.productive + b.productive,
  starting: a.starting + b.starting,
  stalled: a.stalled + b.stalled,
  wasted: a.wasted + b.wasted,
  idle: a.idle + b.idle,
});
