import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactRef } from '../domain/artifact.ts';
import type { RunRef, StageResult, StageStatus } from '../domain/stage.ts';
import type { Summary } from '../domain/summary.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import type { EvaluationRecord } from './evaluate-model.ts';
import type { Host } from './host.ts';
import type { ServerEndpoint } from './model-server.ts';
import type { Promotion } from './promote.ts';
import { readSpec } from './read-run.ts';

/** What a run's workflow knows at its end. */
export interface ReportInput {
  readonly stages: readonly StageStatus[];
  readonly checkpoints: readonly EvaluationRecord[];
  readonly benchmark: readonly EvaluationRecord[];
  readonly promotion: Promotion;
  readonly rl: StageResult;
  readonly data: ArtifactRef;
  readonly judge: ServerEndpoint | null;
}

/** Where the report and its summary lie. */
export interface WrittenReport {
  readonly report: string;
  readonly summary: string;
}

const evaluationRows = ({ result }: EvaluationRecord): Summary['evaluations'] =>
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

export const writeReport =
  (_host: Host) =>
  async (run: RunRef, input: ReportInput): Promise<WrittenReport> => {
    const spec = await readSpec(run);
    const folder = join(run.dir, 'report');
    await mkdir(folder, { recursive: true });
    const all = [...input.checkpoints, ...input.benchmark];
    const decided = all.reduce((sum, { result }) => sum + result.judgeDecided, 0);
    const summary: Summary = {
      version: 1,
      run: run.run,
      name: spec.name,
      seed: spec.seed,
      stages: input.stages.map(({ name, state, attempts, startedAt, endedAt }) => ({
        name,
        state: name === 'report' ? 'completed' : state,
        attempts,
        seconds: startedAt === null ? 0 : ((endedAt ?? Date.now()) - startedAt) / 1000,
      })),
      evaluations: all.flatMap(evaluationRows),
      judge: {
        model: spec.judge.engine === 'none' ? null : spec.judge.model,
        decided,
        note: decided === 0 ? 'Rules decided every answer.' : `The judge decided ${decided} answers.`,
      },
      promoted: {
        checkpoint: `checkpoint-${input.promotion.checkpoint.step}`,
        path: input.promotion.checkpoint.path,
        digest: input.promotion.checkpoint.digest,
        decision: input.promotion.decision,
        why: input.promotion.why,
      },
      isolation: input.benchmark[0]?.result.fingerprint.isolation ?? 'unknown',
    };
    const file = join(folder, 'summary.json');
    await writeFileAtomic(file, `${JSON.stringify(summary, null, 2)}\n`);
    return { report: join(folder, 'index.html'), summary: file };
  };
