import { z } from 'zod';
import { failureTypes } from './errors.ts';

const common = {
  step: z.int().nonnegative(),
  /** Of the checkpoint's manifest: a step that is trained again has another one. */
  digest: z.string(),
  /** Unix time, milliseconds. */
  at: z.number(),
};

/** One line of `checkpoint-ledger.jsonl` beside the checkpoints of a stage: what became of one of them. */
export const checkpointEventSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('evaluated'),
    ...common,
    accuracy: z.number(),
    toolCallsPerEpisode: z.number(),
    /** Folder of the evaluation. */
    evaluation: z.string(),
  }),
  z.strictObject({ kind: z.literal('given-up'), ...common, type: z.enum(failureTypes), message: z.string() }),
  /** Every byte was compared with the manifest. */
  z.strictObject({ kind: z.literal('verified'), ...common }),
  z.strictObject({ kind: z.literal('pruned'), ...common }),
]);
export type CheckpointEvent = z.infer<typeof checkpointEventSchema>;
export type EvaluatedEvent = Extract<CheckpointEvent, { kind: 'evaluated' }>;
export type GivenUpEvent = Extract<CheckpointEvent, { kind: 'given-up' }>;

/** What the ledger says of one checkpoint. */
export interface CheckpointHistory {
  /** The newest word about its evaluation; null while it waits for one. */
  readonly settled: EvaluatedEvent | GivenUpEvent | null;
  readonly verified: boolean;
}

/** What the events say of the checkpoint of this step and digest. */
export const historyOf = (
  events: readonly CheckpointEvent[],
  { step, digest }: { readonly step: number; readonly digest: string },
): CheckpointHistory => {
  const own = events.filter((event) => event.step === step && event.digest === digest);
  const settled = own.findLast((event) => event.kind === 'evaluated' || event.kind === 'given-up');
  return { settled: settled ?? null, verified: own.some(({ kind }) => kind === 'verified') };
};
