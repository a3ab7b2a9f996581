import { z } from 'zod';

/**
 * Configuration files of the Python programs, `python -m lensmith_trainers.<program> --config FILE`. Every path is
 * absolute. Python refuses unknown and missing keys too; the schemas here and the models there change together.
 */
const commonSchema = z.strictObject({
  /** Identifies the run in the environment and the logs. */
  run: z.string(),
  seed: z.int().nonnegative(),
  /** Threads of the process on a CPU. */
  threads: z.int().positive(),
  device: z.enum(['cpu', 'cuda']),
  progressFile: z.string(),
  metricsFile: z.string(),
  outcomeFile: z.string(),
});

const trainingSchema = commonSchema.extend({
  /** Receives `checkpoint-<step>/` folders with a manifest each, and `model/` with a manifest at the end. */
  outputDir: z.string(),
  /** Checkpoint folder to continue from; null starts at step 0. */
  resumeFrom: z.string().nullable(),
  steps: z.int().positive(),
  learningRate: z.number().positive(),
  warmupSteps: z.int().nonnegative(),
  /** Optimiser steps between checkpoints. */
  saveEvery: z.int().positive(),
});

export const baseModelConfigSchema = trainingSchema.extend({
  program: z.literal('base_model'),
  /** Parquet of one-turn conversations in the SFT schema. */
  captions: z.string(),
  /** More Parquet files in the SFT schema whose text the tokenizer has to cover. */
  corpus: z.array(z.string()),
  batchSize: z.int().positive(),
});
export type BaseModelConfig = z.infer<typeof baseModelConfigSchema>;

export const sftConfigSchema = trainingSchema.extend({
  program: z.literal('sft'),
  model: z.string(),
  /** Parquet in the SFT schema: `messages: list<{role, content, loss}>`, `images: list<binary>`. */
  dataset: z.string(),
  batchSize: z.int().positive(),
  microBatchSize: z.int().positive(),
});
export type SftConfig = z.infer<typeof sftConfigSchema>;

export const rlConfigSchema = trainingSchema.extend({
  program: z.literal('rl'),
  model: z.string(),
  /** Parquet in the RL schema. */
  dataset: z.string(),
  protocolFile: z.string(),
  /** Base URL of the tool server: sessions, executions and scores. */
  toolServer: z.url(),
  /** Whether the run has a judge; the tool server then asks it about answers that the rules leave open. */
  judged: z.boolean(),
  /** Whether the reward looks at pixels; else the scoring is sent none. */
  scoredImages: z.boolean(),
  /** Whose words the question has: the protocol's, or the row's own messages. */
  prompt: z.enum(['protocol', 'dataset']),
  reward: z.string(),
  promptsPerStep: z.int().positive(),
  groupSize: z.int().min(2),
  microBatchSize: z.int().positive(),
  temperature: z.number().positive(),
  maxNewTokens: z.int().positive(),
  maxContextTokens: z.int().positive(),
  klCoefficient: z.number().nonnegative(),
  /** Floor added to a group's standard deviation in the advantage. */
  advantageEpsilon: z.number().positive(),
  freezeVision: z.boolean(),
});
export type RlConfig = z.infer<typeof rlConfigSchema>;

export const serveConfigSchema = commonSchema.extend({
  program: z.literal('serve'),
  /** Folder of a Hugging Face model, or a GGUF file of a text model. */
  model: z.string(),
  servedName: z.string(),
  host: z.string(),
  port: z.int().min(1).max(65535),
  maxBatchSize: z.int().positive(),
  maxContextTokens: z.int().positive(),
});
export type ServeConfig = z.infer<typeof serveConfigSchema>;

export const trainerConfigSchema = z.discriminatedUnion('program', [
  baseModelConfigSchema,
  sftConfigSchema,
  rlConfigSchema,
  serveConfigSchema,
]);
export type TrainerConfig = z.infer<typeof trainerConfigSchema>;
