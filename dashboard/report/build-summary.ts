import type { EvaluationResult } from '../../domain/evaluation.ts';
import type { Summary } from '../../domain/summary.ts';
import { judgeCounts, judgeNote } from './judge-note.ts';
import type { RunReport } from './report-input.ts';

const rowsOf = (result: EvaluationResult): Summary['evaluations'] =>
  result.slices.map((slice) => ({
    model: result.model,
    checkpoint: result.checkpoint,
    dataset: result.dataset,
    family: slice.family,
    transform: slice.transform,
    samples: slice.samples,
    accuracy: slice.accuracy,
    low: slice.low,
    high: slice.high,
    toolCallsPerEpisode: slice.toolCallsPerEpisode,
    toolShare: slice.toolShare,
    executionSuccess: slice.executionSuccess,
    undecided: slice.undecided,
  }));

/** What a program reads of a finished run; the digest is that of the checkpoint that was judged the best. */
export const buildSummary = (report: RunReport, digest: string): Summary => ({
  version: 1,
  run: report.run,
  name: report.spec.name,
  seed: report.spec.seed,
  stages: report.stages.map(({ name, state, attempts, startedAt, endedAt }) => ({
    name,
    // The report's own stage ends with this file.
    state: name === 'report' ? 'completed' : state,
    attempts: name === 'report' ? 1 : attempts,
    seconds: startedAt === null ? 0 : ((endedAt ?? Date.parse(report.writtenAt)) - startedAt) / 1000,
  })),
  evaluations: [...report.checkpoints.map(({ result }) => result), ...report.benchmark].flatMap(rowsOf),
  judge: { model: report.judge?.model ?? null, decided: judgeCounts(report).decided, note: judgeNote(report) },
  promoted: {
    checkpoint: `checkpoint-${report.promotion.step}`,
    path: report.promotion.path,
    digest,
    decision: report.promotion.decision,
    why: report.promotion.why,
  },
  isolation: report.benchmark[0]?.fingerprint.isolation ?? 'unknown',
});
