import { byMerit } from './best-checkpoint.ts';
import type { CheckpointHistory, EvaluatedEvent } from './checkpoint-ledger.ts';

/** A complete checkpoint on disk, with what is known of its evaluation. */
export interface KeptCheckpoint {
  readonly step: number;
  readonly digest: string;
  readonly settled: CheckpointHistory['settled'];
}

export interface KeepRules {
  /** Newest checkpoints that are kept to go on from; null keeps all. */
  readonly keep: number | null;
  /** Whether the checkpoints of the stage are evaluated; each of them then has to wait for it. */
  readonly evaluated: boolean;
  /** Whether a promotion record names the checkpoint. */
  readonly isPromoted: (checkpoint: KeptCheckpoint) => boolean;
}

export const keepReasons = ['newest', 'waits for its evaluation', 'best', 'promoted'] as const;
export type KeepReason = (typeof keepReasons)[number];

export interface KeepDecision {
  readonly checkpoint: KeptCheckpoint;
  /** Why it stays; empty where it may be deleted. */
  readonly reasons: readonly KeepReason[];
}

const isEvaluated = (settled: KeptCheckpoint['settled']): settled is EvaluatedEvent => settled?.kind === 'evaluated';

/** Step of the best of those that were evaluated; undefined where none was. */
export const bestKept = (checkpoints: readonly KeptCheckpoint[]): number | undefined =>
  checkpoints
    .flatMap(({ step, settled }) =>
      isEvaluated(settled) ? [{ step, accuracy: settled.accuracy, calls: settled.toolCallsPerEpisode }] : [],
    )
    .sort(byMerit)[0]?.step;

/**
 * Says for each complete checkpoint of a stage why it stays. One may be deleted only where its evaluation is done or
 * given up, it is not the best, nothing has promoted it, and enough newer ones are there to go on from. What is not
 * complete is none of these and neither counts nor goes.
 */
export const decideKeep = (checkpoints: readonly KeptCheckpoint[], rules: KeepRules): KeepDecision[] => {
  const newestFirst = [...checkpoints].sort((a, b) => b.step - a.step);
  const best = rules.evaluated ? bestKept(checkpoints) : undefined;
  return newestFirst.map((checkpoint, index) => {
    const reasons: KeepReason[] = [];
    if (rules.keep === null || index < rules.keep) reasons.push('newest');
    if (rules.evaluated && checkpoint.settled === null) reasons.push('waits for its evaluation');
    if (checkpoint.step === best) reasons.push('best');
    if (rules.isPromoted(checkpoint)) reasons.push('promoted');
    return { checkpoint, reasons };
  });
};
