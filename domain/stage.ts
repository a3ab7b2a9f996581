import { z } from 'zod';
import type { ArtifactRef } from './artifact.ts';
import { progressSchema } from './progress.ts';
import { stageStates } from './summary.ts';

/** The stages of `train-pipeline`, in the order in which they begin. */
export const stageNames = [
  'prepare-data',
  'base-model',
  'sft',
  'serve-judge',
  'ray-cluster',
  'rl',
  'evaluate-checkpoints',
  'benchmark-suite',
  'promote',
  'report',
] as const;
export type StageName = (typeof stageNames)[number];
export const stageNameSchema = z.enum(stageNames);

/** What a stage may use of a host. */
export interface RunLease {
  readonly id: string;
  /** Of two owners of a GPU the one with the greater fence is right. */
  readonly fence: number;
  readonly gpus: readonly number[];
  /** First port and how many follow from it. */
  readonly ports: readonly [number, number] | null;
  /** The host of this share, one of several where the lease is a gang's. */
  readonly host?: string;
  /** Processor slots. */
  readonly cpus?: number;
}

/** A cluster of Ray that a stage has for itself. */
export interface RunRay {
  /** Base URL of its Jobs API. */
  readonly address: string;
  readonly nodes: number;
}

/** Where a run lives on its host, and what it was asked to do there. */
export interface RunRef {
  readonly run: string;
  /** Absolute path of the run's folder on its host. */
  readonly dir: string;
  /** Workflow that is told of the progress of the run's stages. */
  readonly workflowId: string;
  /** What the pool has leased to the stage on the host that it works on; absent on the host of the spec. */
  readonly lease?: RunLease;
  /** Ray on the leased hosts; absent where the stage uses the one that the host knows. */
  readonly ray?: RunRay;
}

/** What a stage that leaves an artifact gives back. */
export interface StageResult {
  readonly state: 'cached' | 'completed';
  readonly artifact: ArtifactRef;
  /** Attempts of the stage's program in this run; 0 where it is cached. */
  readonly attempts: number;
  readonly seconds: number;
}

/** A stage as the `progress` query, the report and the live view see it. */
export const stageStatusSchema = z.strictObject({
  name: stageNameSchema,
  state: z.enum(stageStates),
  attempts: z.int().nonnegative(),
  /** Unix time, milliseconds; null before the stage began or ended. */
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  progress: progressSchema.nullable(),
  /** One line for a person: what came out, or why it failed. */
  note: z.string(),
});
export type StageStatus = z.infer<typeof stageStatusSchema>;

/** Whether a run goes on, comes to rest, or rests: then it holds no process and no lease. */
export type HoldState = 'running' | 'pausing' | 'paused';

/** A pause that a run is in or gets into. */
export interface HoldStatus {
  readonly state: Exclude<HoldState, 'running'>;
  /** Unix time, milliseconds. */
  readonly since: number;
  /** One line for a person: what it waits for, or where it will go on. */
  readonly note: string;
}

/** Answer of the query `progress`. */
export interface PipelineProgress {
  readonly run: string;
  readonly dir: string | null;
  readonly stages: readonly StageStatus[];
  /** Null or absent while the run goes on. */
  readonly hold?: HoldStatus | null;
}

/** One line of the plan: what a stage would do now. */
export const planEntrySchema = z.strictObject({
  stage: stageNameSchema,
  action: z.enum(['run', 'cached', 'resume', 'skip', 'unknown']),
  /** Step from which a resumed stage goes on. */
  step: z.int().nullable(),
  why: z.string(),
  gpus: z.int(),
  command: z.array(z.string()),
  outputs: z.array(z.string()),
});
export type PlanEntry = z.infer<typeof planEntrySchema>;

/** Result of `train-pipeline`. */
export interface TrainResult {
  readonly run: string;
  readonly dir: string;
  readonly report: string;
  readonly summary: string;
  readonly decision: string;
  readonly promoted: ArtifactRef | null;
}
