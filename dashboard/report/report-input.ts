import type { EvaluationResult } from '../../domain/evaluation.ts';
import type { MetricsLine, RlMetrics } from '../../domain/progress.ts';
import type { RunSpec } from '../../domain/run-spec.ts';
import type { StageStatus } from '../../domain/stage.ts';
import type { EvaluationComparison } from '../../evaluation/compare.ts';
import type { SampleEntry } from '../../evaluation/journal-entry.ts';

/** An episode to show, with its images as data URLs by digest. */
export interface ExampleEpisode {
  readonly entry: SampleEntry;
  readonly images: ReadonlyMap<string, string>;
}

/** All that the report shows of a run. */
export interface RunReport {
  readonly run: string;
  readonly dir: string;
  readonly spec: RunSpec;
  readonly writtenAt: string;
  readonly stages: readonly StageStatus[];
  readonly promotion: {
    readonly decision: 'promoted' | 'held' | 'forced';
    readonly why: string;
    readonly step: number;
    readonly path: string;
  };
  /** Evaluations of the checkpoints of RL on the validation split, in the order of their steps. */
  readonly checkpoints: readonly { readonly step: number; readonly result: EvaluationResult }[];
  /** Base, SFT and RL on the test split. */
  readonly benchmark: readonly EvaluationResult[];
  /** SFT against RL on the test split, sample by sample. */
  readonly comparison: EvaluationComparison;
  readonly rlMetrics: readonly RlMetrics[];
  readonly losses: readonly { readonly stage: string; readonly lines: readonly MetricsLine[] }[];
  readonly data: Readonly<Record<string, unknown>>;
  readonly dataDigest: string;
  /** Model of the judge and whether it was served in this run; null where the spec wants none. */
  readonly judge: { readonly model: string; readonly served: boolean } | null;
  readonly examples: readonly ExampleEpisode[];
}
