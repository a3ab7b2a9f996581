import type { ArtifactRef } from '../../domain/artifact.ts';
import type { EvaluationResult } from '../../domain/evaluation.ts';
import type { UsageLedger } from '../../domain/gpu-hours.ts';
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

/** The curve of a stage: one line a step, and the file it comes from, which may lie in the folder of an earlier run. */
export interface StageMetrics<Line extends MetricsLine = MetricsLine> {
  readonly file: string;
  readonly lines: readonly Line[];
  /** Lines that could not be read, such as one that a crash has torn. */
  readonly unreadable: number;
}

/** All that the report shows of a run. */
export interface RunReport {
  readonly run: string;
  readonly dir: string;
  readonly spec: RunSpec;
  /** ISO dates: the run's beginning and the writing of the report. */
  readonly createdAt: string;
  readonly writtenAt: string;
  readonly stages: readonly StageStatus[];
  readonly promotion: {
    readonly decision: 'promoted' | 'held' | 'forced';
    readonly why: string;
    readonly step: number;
    readonly path: string;
    readonly digest: string;
    /** File that names the promoted checkpoint; null where it was held. */
    readonly record: string | null;
  };
  /** Evaluations of the checkpoints of RL on the validation split, in the order of their steps. */
  readonly checkpoints: readonly { readonly step: number; readonly result: EvaluationResult }[];
  /** Base, SFT and RL on the test split. */
  readonly benchmark: readonly EvaluationResult[];
  /** SFT against RL on the test split, sample by sample; null where the suite lacks one of them. */
  readonly comparison: EvaluationComparison | null;
  readonly rlMetrics: StageMetrics<RlMetrics>;
  /** Curves of `base-model` and `sft`, where there are any. */
  readonly losses: readonly (StageMetrics & { readonly stage: string })[];
  readonly data: ArtifactRef;
  /** Model of the judge and whether it was served in this run; null where the spec wants none. */
  readonly judge: { readonly model: string; readonly served: boolean } | null;
  readonly examples: readonly ExampleEpisode[];
  /** What the programs of this run held, and to what avail. */
  readonly usage: UsageLedger;
}
