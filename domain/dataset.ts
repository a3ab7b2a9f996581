import { z } from 'zod';
import type { TaskNeeds } from './image-location.ts';

/** One message of the published schemas. `loss: false` keeps an assistant message as context without training on it. */
export const datasetMessageSchema = z.strictObject({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  /** `<image>` marks where the next image of the row stands. */
  content: z.string(),
  loss: z.boolean().nullish(),
});
export type DatasetMessage = z.infer<typeof datasetMessageSchema>;

/** A row of an SFT data set: a conversation and the encoded images it names, in order. */
export interface SftRow {
  readonly messages: readonly DatasetMessage[];
  readonly images: readonly Uint8Array[];
}

/** A row of an RL or benchmark data set, in the published schema, with the fields of ours in `extra_info`. */
export interface RlRow {
  readonly data_source: string;
  readonly prompt: readonly { readonly role: string; readonly content: string }[];
  readonly images: readonly { readonly bytes: Uint8Array | null; readonly path: string | null }[];
  readonly ability: string;
  readonly reward_model: { readonly style: string; readonly ground_truth: string };
  readonly extra_info: {
    readonly split: string;
    /** A text names the sample by itself. */
    readonly index: number | string;
    readonly question: string;
    readonly answer: string;
    /** Null where the row does not say it: the grader then goes by the row's style and source. */
    readonly answer_kind: string | null;
    readonly family: string;
    readonly transform: string;
    /** Of data sets that know what their images need before they can be read. */
    readonly needs?: TaskNeeds;
  };
}

/** `details` of a data set's manifest. */
export const datasetDetailsSchema = z.looseObject({
  seed: z.int().nonnegative(),
  /** Rows by file name. */
  rows: z.record(z.string(), z.int().nonnegative()),
  schema: z.record(z.string(), z.enum(['sft', 'rl'])),
});
export type DatasetDetails = z.infer<typeof datasetDetailsSchema>;
