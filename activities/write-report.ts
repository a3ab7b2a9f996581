import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildSummary } from '../dashboard/report/build-summary.ts';
import { readExamples } from '../dashboard/report/read-examples.ts';
import { readMetrics } from '../dashboard/report/read-metrics.ts';
import { renderReport } from '../dashboard/report/render-report.ts';
import type { RunReport } from '../dashboard/report/report-input.ts';
import type { ArtifactRef } from '../domain/artifact.ts';
import { metricsLineSchema, rlMetricsSchema } from '../domain/progress.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageResult, StageStatus } from '../domain/stage.ts';
import { compareEvaluations } from '../evaluation/compare.ts';
import { readJson, writeFileAtomic } from '../processes/atomic-file.ts';
import { readDeletedEvaluations } from './deleted-evaluations.ts';
import type { EvaluationRecord } from './evaluate-model.ts';
import { readUsage } from './gpu-hours-read.ts';
import type { ServerEndpoint } from './model-server.ts';
import type { Promotion } from './promote.ts';
import { runFilePath, runFileSchema } from './read-run.ts';

const exampleCount = 6;

/** What a run's workflow knows at its end. */
export interface ReportInput {
  readonly stages: readonly StageStatus[];
  readonly checkpoints: readonly { readonly step: number; readonly record: EvaluationRecord }[];
  readonly benchmark: readonly EvaluationRecord[];
  readonly promotion: Promotion;
  readonly base: ArtifactRef;
  readonly sft: ArtifactRef;
  readonly rl: StageResult;
  readonly data: ArtifactRef;
  readonly judge: ServerEndpoint | null;
}

/** Where the report and its summary lie. */
export interface WrittenReport {
  readonly report: string;
  readonly summary: string;
}

/** The metrics of a stage lie in the run that made its artifact, which for a cached one is another. */
const metricsFile = (artifact: ArtifactRef, stage: string): string =>
  join(dirname(dirname(artifact.path)), 'stages', stage, 'metrics.jsonl');

const judgeOf = ({ judge }: RunSpec, served: boolean): RunReport['judge'] => {
  const models = [...(judge.engine === 'none' ? [] : [judge.model]), ...judge.others.map(({ model }) => model)];
  return models.length === 0 ? null : { model: models.join(' + '), served: served || judge.others.length > 0 };
};

/**
 * The evaluations of the checkpoints, also of those that were deleted before the workflow was started again and could
 * see them.
 */
const withDeletedCheckpoints = async ({ checkpoints, rl }: ReportInput): Promise<RunReport['checkpoints']> => {
  const known = checkpoints.map(({ step, record }) => ({ step, result: record.result }));
  const deleted = await readDeletedEvaluations(dirname(rl.artifact.path));
  const others = deleted.filter(({ step }) => !known.some((one) => one.step === step));
  return [...known, ...others].sort((a, b) => a.step - b.step);
};

const gather = async (run: RunRef, input: ReportInput): Promise<RunReport> => {
  const { spec, createdAt } = await readJson(runFilePath(run.dir), runFileSchema);
  const { promotion } = input;
  const sft = input.benchmark.find(({ result }) => result.model === 'sft');
  const rl = input.benchmark.find(({ result }) => result.model === 'rl');
  return {
    run: run.run,
    dir: run.dir,
    spec,
    createdAt,
    writtenAt: new Date().toISOString(),
    stages: input.stages,
    promotion: {
      decision: promotion.decision,
      why: promotion.why,
      step: promotion.checkpoint.step,
      path: promotion.checkpoint.path,
      digest: promotion.checkpoint.digest,
      record: promotion.record,
    },
    checkpoints: await withDeletedCheckpoints(input),
    benchmark: input.benchmark.map(({ result }) => result),
    comparison: sft && rl ? await compareEvaluations(sft.artifact.path, rl.artifact.path) : null,
    rlMetrics: await readMetrics(metricsFile(input.rl.artifact, 'rl'), rlMetricsSchema),
    losses: [
      { stage: 'base-model', ...(await readMetrics(metricsFile(input.base, 'base-model'), metricsLineSchema)) },
      { stage: 'sft', ...(await readMetrics(metricsFile(input.sft, 'sft'), metricsLineSchema)) },
    ],
    data: input.data,
    judge: judgeOf(spec, input.judge !== null),
    usage: await readUsage(run),
    examples: rl ? await readExamples(rl.artifact.path, exampleCount) : [],
  };
};

/** Writes `report/index.html`, one file that opens from disk, and `report/summary.json` for programs. */
export const writeReport =
  () =>
  async (run: RunRef, input: ReportInput): Promise<WrittenReport> => {
    const report = await gather(run, input);
    const folder = join(run.dir, 'report');
    await mkdir(folder, { recursive: true });
    const page = join(folder, 'index.html');
    const summary = join(folder, 'summary.json');
    await writeFileAtomic(page, renderReport(report));
    await writeFileAtomic(summary, `${JSON.stringify(buildSummary(report), null, 2)}\n`);
    return { report: page, summary };
  };
