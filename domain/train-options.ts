import { z } from 'zod';
import { LensmithError } from './errors.ts';
import { type StageName, stageNameSchema, stageNames } from './stage.ts';

/** The run that another one was cloned from, as `run.json` of the clone says it. */
export const runOriginSchema = z.strictObject({
  run: z.string(),
  /** Execution of the workflow that the run had when it was cloned. */
  execution: z.string(),
  at: z.iso.datetime(),
  /** Assignments that changed its spec, such as `rl.steps=20`. */
  set: z.array(z.string()),
});
export type RunOrigin = z.infer<typeof runOriginSchema>;

/** Second input of `train-pipeline`, beside the run spec: how to go about it this time. */
export const trainOptionsSchema = z.strictObject({
  /** This stage and all after it run anew, although the cache has them. */
  from: stageNameSchema.nullable().default(null),
  clonedFrom: runOriginSchema.nullable().default(null),
});
export type TrainOptions = z.infer<typeof trainOptionsSchema>;

/** Input of the update `resume`: the spec to go on with, where it has changed, and the stage to begin anew with. */
export const resumeOrderSchema = z.strictObject({
  spec: z.record(z.string(), z.unknown()).nullable().default(null),
  from: stageNameSchema.nullable().default(null),
});
export type ResumeOrder = z.infer<typeof resumeOrderSchema>;

/** A stage and those after it, in the order of the pipeline. */
export const stagesFrom = (stage: StageName): StageName[] => stageNames.slice(stageNames.indexOf(stage));

/**
 * Checks the options.
 *
 * @throws LensmithError `config` naming the place.
 */
export const parseTrainOptions = (input: unknown): TrainOptions => {
  const parsed = trainOptionsSchema.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.map(String).join('.') ?? '';
  throw new LensmithError('config', `the options of train-pipeline are not valid: ${where}: ${issue?.message ?? ''}`, {
    where,
  });
};
