import type { FailureType } from './errors.ts';
import type { StageName } from './stage.ts';

/**
 * What a folder among a run's checkpoints is.
 *
 * - `complete`: its manifest fits its files.
 * - `torn`: it has the name of a checkpoint, but is not whole.
 * - `leaking`: a temporary name that a crash has left, or a checkpoint that no attempt of the run can have written.
 * - `writing`: a temporary name while a program of the run lives.
 */
export const checkpointStates = ['complete', 'torn', 'leaking', 'writing'] as const;
export type CheckpointState = (typeof checkpointStates)[number];

/** One folder among the checkpoints of a run. */
export interface CheckpointEntry {
  readonly run: string;
  readonly stage: StageName;
  /** Null where the name tells none. */
  readonly step: number | null;
  readonly path: string;
  readonly bytes: number;
  readonly state: CheckpointState;
  /** Why it is torn or leaking; empty otherwise. */
  readonly reason: string;
  readonly best: boolean;
  readonly promoted: boolean;
  /** Whether every byte was compared with the manifest, now or before. */
  readonly verified: boolean;
  /** What its evaluation said; null while there is none. */
  readonly evaluation:
    | { readonly kind: 'evaluated'; readonly accuracy: number; readonly toolCallsPerEpisode: number }
    | { readonly kind: 'given-up'; readonly type: FailureType }
    | null;
}

/** Whether nothing is lost with a folder: nobody can go on from it. */
export const isWaste = ({ state }: Pick<CheckpointEntry, 'state'>): boolean => state === 'torn' || state === 'leaking';
