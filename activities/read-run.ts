import { join } from 'node:path';
import { z } from 'zod';
import { type RunSpec, runSpecSchema } from '../domain/run-spec.ts';
import { type RunRef, type StageName, stageNameSchema } from '../domain/stage.ts';
import { runOriginSchema } from '../domain/train-options.ts';
import { readJson } from '../processes/atomic-file.ts';

/** `run.json` of a run's folder: whose it is, and the spec with all defaults filled in. */
export const runFileSchema = z.strictObject({
  version: z.literal(1),
  run: z.string(),
  workflowId: z.string(),
  /** Tells one execution of the workflow from a later one under the same id. */
  execution: z.string(),
  createdAt: z.iso.datetime(),
  /** Changes each time that a workflow begins or goes on with the run; absent in runs of an older version. */
  opening: z.string().optional(),
  /** Stages that were asked for although the cache has them: each with the repetition that it belongs to. */
  anew: z.partialRecord(stageNameSchema, z.string()).optional(),
  /** The run whose spec this one has taken over, and what was changed in it. */
  clonedFrom: runOriginSchema.optional(),
  spec: runSpecSchema,
});
export type RunFile = z.infer<typeof runFileSchema>;

export const runFilePath = (dir: string): string => join(dir, 'run.json');

/** What a run's folder says of it. */
export const readRunFile = (run: Pick<RunRef, 'dir'>): Promise<RunFile> =>
  readJson(runFilePath(run.dir), runFileSchema);

/** The resolved spec of a run. */
export const readSpec = async (run: Pick<RunRef, 'dir'>): Promise<RunSpec> => (await readRunFile(run)).spec;

/** The repetition that a stage of a run belongs to; null where the cache may serve it. */
export const anewOf = async (run: Pick<RunRef, 'dir'>, stage: StageName): Promise<string | null> =>
  (await readRunFile(run)).anew?.[stage] ?? null;
