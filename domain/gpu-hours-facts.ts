import { z } from 'zod';
import { failureTypes } from './errors.ts';

/** What a run's programs hold: GPUs, or the processor slots (threads) of a host where the run uses no GPU. */
export const usageUnits = ['gpu', 'cpu-slot'] as const;
export type UsageUnit = (typeof usageUnits)[number];

const at = z.number();
const attempt = { stage: z.string(), attempt: z.int().positive() };
const budget = {
  stage: z.string(),
  at,
  /** Unit hours: used, expected at the stage's end, allowed. */
  used: z.number(),
  forecast: z.number().nullable(),
  limit: z.number(),
};
const held = { unit: z.enum(usageUnits), count: z.int().nonnegative() };

/**
 * One line of `gpu-hours.jsonl` in a run's folder. Lines are only ever added; times are Unix times in milliseconds. A
 * line that stands twice, because its writer was killed and began again, counts once.
 */
export const usageFactSchema = z.discriminatedUnion('kind', [
  /** A program is about to be started. `resumeStep` is null at step 0 and for servers. */
  z.strictObject({
    kind: z.literal('attempt-started'),
    ...attempt,
    ...held,
    role: z.enum(['trainer', 'server']),
    resumeStep: z.int().nonnegative().nullable(),
    /** Name of the folder in the run's folder that receives its checkpoints; null for servers. */
    folder: z.string().nullable(),
    at,
  }),
  /** It works: a trainer is past its loading, a server answers. */
  z.strictObject({ kind: z.literal('attempt-running'), ...attempt, at }),
  /** It made no progress in between; a later line with the same `from` replaces an earlier one. */
  z.strictObject({ kind: z.literal('attempt-stalled'), ...attempt, from: z.number(), to: z.number() }),
  /** It was seen at work: its end where nobody saw that. */
  z.strictObject({ kind: z.literal('attempt-seen'), ...attempt, at }),
  z.strictObject({
    kind: z.literal('attempt-ended'),
    ...attempt,
    at,
    /** Class of the failure; null where it ended well or was stopped by request. */
    type: z.enum(failureTypes).nullable(),
    succeeded: z.boolean(),
  }),
  /** A complete checkpoint of a stage; `at` is the time of its manifest. */
  z.strictObject({
    kind: z.literal('checkpoint'),
    stage: z.string(),
    folder: z.string(),
    step: z.int().nonnegative(),
    at,
  }),
  /** An evaluation uses these servers until its end. */
  z.strictObject({ kind: z.literal('evaluation-began'), id: z.string(), servers: z.array(z.string()), at }),
  z.strictObject({ kind: z.literal('evaluation-ended'), id: z.string(), at }),
  /** Of the pool; without it nobody waits for what a run holds but does not use. */
  z.strictObject({ kind: z.literal('lease-granted'), id: z.string(), ...held, at }),
  z.strictObject({ kind: z.literal('lease-released'), id: z.string(), at }),
  z.strictObject({ kind: z.literal('budget-warned'), ...budget }),
  z.strictObject({ kind: z.literal('budget-stopped'), ...budget }),
]);
export type UsageFact = z.infer<typeof usageFactSchema>;
export type FactOf<Kind extends UsageFact['kind']> = Extract<UsageFact, { kind: Kind }>;

export const factsOf = <Kind extends UsageFact['kind']>(facts: readonly UsageFact[], kind: Kind): FactOf<Kind>[] =>
  facts.filter((fact): fact is FactOf<Kind> => fact.kind === kind);
