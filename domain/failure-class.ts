import { z } from 'zod';
import { type FailureType, failureTypes, type PermanentFailure } from './errors.ts';

/** Classes of failure after which a stage may be tried again. */
export type RetryableFailure = Exclude<FailureType, PermanentFailure>;

/** How often a stage is tried again after one class of failure, and how long it waits before that. */
export interface RetryRule {
  readonly retries: number;
  /** Seconds before the first retry; each further one of the class waits twice as long. */
  readonly firstSeconds: number;
  readonly maxSeconds: number;
}

/** Budgets and back-off by class. The budgets are the defaults of `limits.retries`. */
export const retryRules = {
  infrastructure: { retries: 4, firstSeconds: 1, maxSeconds: 60 },
  // A worker that comes back finds the program where it was, so that a retry costs nothing.
  worker_lost: { retries: 20, firstSeconds: 1, maxSeconds: 60 },
  ray_head: { retries: 10, firstSeconds: 2, maxSeconds: 120 },
  preemption: { retries: 20, firstSeconds: 2, maxSeconds: 600 },
  port: { retries: 5, firstSeconds: 1, maxSeconds: 30 },
  // Drivers and the memory of a process that was just killed need time.
  cuda_init: { retries: 3, firstSeconds: 30, maxSeconds: 300 },
  gpu_fault: { retries: 2, firstSeconds: 30, maxSeconds: 300 },
  nccl: { retries: 5, firstSeconds: 10, maxSeconds: 300 },
  // The parameters change with each retry.
  out_of_memory: { retries: 3, firstSeconds: 2, maxSeconds: 30 },
  host_memory: { retries: 2, firstSeconds: 10, maxSeconds: 120 },
  // Room is made by a person: a retry by itself would find the disk as it was.
  disk_full: { retries: 0, firstSeconds: 60, maxSeconds: 600 },
  stall: { retries: 2, firstSeconds: 5, maxSeconds: 60 },
  // An error that depends on the data of the step or on a race may not come again.
  user_code: { retries: 1, firstSeconds: 2, maxSeconds: 30 },
} as const satisfies Record<RetryableFailure, RetryRule>;

const budget = (type: RetryableFailure) => z.int().nonnegative().default(retryRules[type].retries);

/** `limits.retries` of the run spec: how often a stage is tried again after each class of failure. */
export const retryBudgetsSchema = z.strictObject({
  /** Null takes `limits.attempts` − 1. */
  infrastructure: z.int().nonnegative().nullable().default(null),
  worker_lost: budget('worker_lost'),
  ray_head: budget('ray_head'),
  preemption: budget('preemption'),
  port: budget('port'),
  cuda_init: budget('cuda_init'),
  gpu_fault: budget('gpu_fault'),
  nccl: budget('nccl'),
  out_of_memory: budget('out_of_memory'),
  host_memory: budget('host_memory'),
  disk_full: budget('disk_full'),
  stall: budget('stall'),
  user_code: budget('user_code'),
} satisfies Record<RetryableFailure, z.ZodType>);
export type RetryBudgets = z.infer<typeof retryBudgetsSchema>;

/** What a failure of a stage tells the one who decides about another attempt; details of the `ApplicationFailure`. */
export const failureDetailsSchema = z.looseObject({
  attempt: z.int().positive(),
  /** Last step of the program; null where it did not get to its steps. */
  step: z.int().nonnegative().nullable(),
  /** What the next attempt changes; null where nothing is left to change, absent where nothing has to. */
  remedy: z.string().nullish(),
});
export type FailureDetails = z.infer<typeof failureDetailsSchema>;

/** `failure.json` of an attempt: why it ended. */
export const failureRecordSchema = z.strictObject({
  version: z.literal(1),
  type: z.enum(failureTypes),
  /** The line of a log, the exit code or the status that decided the class. */
  evidence: z.string(),
  message: z.string(),
  attempt: z.int().positive(),
  step: z.int().nonnegative().nullable(),
  /** Micro-batch that the attempt ran with; null for a program without one. */
  microBatchSize: z.int().positive().nullable(),
  remedy: z.string().nullable(),
  /** Unix time, milliseconds. */
  at: z.number(),
});
export type FailureRecord = z.infer<typeof failureRecordSchema>;
