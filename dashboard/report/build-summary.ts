import type { EvaluationResult } from '../../domain/evaluation.ts';
import type { UsageLedger } from '../../domain/gpu-hours.ts';
import type { Summary } from '../../domain/summary.ts';
import { judgeNote, verdictCounts } from './judge-note.ts';
import type { RunReport } from './report-input.ts';

type Summarised = Pick<
  RunReport,
  'run' | 'spec' | 'writtenAt' | 'stages' | 'promotion' | 'checkpoints' | 'benchmark' | 'judge' | 'usage'
>;

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

const hoursOf = ({ totals, entries, budget }: UsageLedger): Summary['hours'] => ({
  totals: [...totals],
  attempts: entries.map(({ stage, attempt, unit, count, ending, hours }) => {
    return { stage, attempt, unit, count, ending, hours };
  }),
  budget,
});

/** What a program reads of a finished run. Seconds of a stage that has not ended count up to `writtenAt`. */
export const buildSummary = (report: Summarised): Summary => ({
  version: 1,
  run: report.run,
  name: report.spec.name,
  seed: report.spec.seed,
  stages: report.stages.map(({ name, state, attempts, startedAt, endedAt }) => ({
    name,
    // The report's own stage ends with this file.
    state: name === 'report' ? 'completed' : state,
    attempts: name === 'report' ? Math.max(1, attempts) : attempts,
    seconds: startedAt === null ? 0 : Math.max(0, ((endedAt ?? Date.parse(report.writtenAt)) - startedAt) / 1000),
  })),
  evaluations: [...report.checkpoints.map(({ result }) => result), ...report.benchmark].flatMap(rowsOf),
  judge: {
    model: report.judge?.model ?? null,
    decided: verdictCounts(report).judged,
    note: judgeNote(report),
  },
  promoted: {
    checkpoint: `checkpoint-${report.promotion.step}`,
    path: report.promotion.path,
    digest: report.promotion.digest,
    decision: report.promotion.decision,
    why: report.promotion.why,
  },
  hours: hoursOf(report.usage),
  isolation: report.benchmark[0]?.fingerprint.isolation ?? 'unknown',
});
