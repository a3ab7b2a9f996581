import { join } from 'node:path';
import { CancelledFailure, Context } from '@temporalio/activity';
import type { ArtifactRef } from '../domain/artifact.ts';
import { LensmithError } from '../domain/errors.ts';
import { type EvaluationResult, evaluationResultSchema } from '../domain/evaluation.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageName } from '../domain/stage.ts';
import { type LoadedProtocol, loadProtocol } from '../episodes/load-protocol.ts';
import type { EvaluationProgress } from '../evaluation/progress-counter.ts';
import { runEvaluation } from '../evaluation/run-evaluation.ts';
import { publishArtifact } from '../processes/artifact.ts';
import { readJson } from '../processes/atomic-file.ts';
import { gradeEpisode, scoringVersion } from '../scoring/grade-episode.ts';
import { judgeForTask } from '../scoring/judge/judge-kind.ts';
import { dataFile } from './data-files.ts';
import { openFollowedJudge } from './followed-judge.ts';
import { whileAsking } from './gpu-hours-server.ts';
import type { Host } from './host.ts';
import { judgedScoring } from './judged-scoring.ts';
import type { ServerEndpoint } from './model-server.ts';
import { createPulse } from './pulse.ts';
import { readRunFile } from './read-run.ts';
import type { SharedSandbox } from './shared-sandbox.ts';
import { findCached, recordCached } from './stage-cache.ts';
import { digestOf, stageKey } from './stage-key.ts';
import { whileBeating } from './while-beating.ts';

/** One model on one split. */
export interface EvaluationRequest {
  /** `base`, `sft`, `rl`: the row of the tables. */
  readonly modelName: string;
  /** `checkpoint-40`, or `model`. */
  readonly checkpoint: string;
  readonly model: ArtifactRef;
  readonly data: ArtifactRef;
  readonly split: 'validation' | 'test';
  readonly stage: StageName;
  /** Sets an evaluation apart that is wanted anew, such as a night's; one without it is taken from the cache. */
  readonly occasion?: string;
}

/** A finished evaluation: its figures and the folder with its journal. */
export interface EvaluationRecord {
  readonly result: EvaluationResult;
  readonly artifact: ArtifactRef;
  readonly cached: boolean;
}

/** Key of one evaluation: the model, the data, and all that a score depends on. */
export const evaluationKey = (
  spec: RunSpec,
  protocol: LoadedProtocol,
  request: Omit<EvaluationRequest, 'stage'>,
): string =>
  stageKey(
    'evaluate-model',
    {
      split: request.split,
      modelName: request.modelName,
      checkpoint: request.checkpoint,
      temperature: spec.evaluation.temperature,
      maxTokens: spec.evaluation.maxTokens,
      prompt: spec.prompt,
      scoring: scoringVersion,
      judge: spec.judge,
      occasion: request.occasion,
    },
    { model: request.model.digest, data: request.data.digest, protocol: protocol.ref.digest },
  );

/** What a heartbeat tells besides how far the evaluation is: the verdicts so far, and what is in flight. */
const progressFigures = (progress: EvaluationProgress): Record<string, number> => {
  const { rate, outcomes, inFlight, judged, oldestSeconds } = progress;
  return { ...outcomes, rate, inFlight, judged, oldestSeconds };
};

const resultFile = (artifact: Pick<ArtifactRef, 'path'>): string => join(artifact.path, 'result.json');

/** The evaluation that the cache has for a request under a spec; null without one. See `findCached` for `anew`. */
export const cachedEvaluation = async (
  host: Host,
  spec: RunSpec,
  protocol: LoadedProtocol,
  request: Omit<EvaluationRequest, 'stage'>,
  anew: string | null,
): Promise<EvaluationRecord | null> => {
  const artifact = await findCached(host, 'evaluation', evaluationKey(spec, protocol, request), anew);
  return artifact
    ? { result: await readJson(resultFile(artifact), evaluationResultSchema), artifact, cached: true }
    : null;
};

/** The evaluation that an earlier run has left for the same model, data, protocol and sampling; null without one. */
export const findEvaluation =
  (host: Host) =>
  async (run: RunRef, request: EvaluationRequest): Promise<EvaluationRecord | null> => {
    const { spec, anew } = await readRunFile(run);
    return cachedEvaluation(host, spec, await loadProtocol(spec.protocol), request, anew?.[request.stage] ?? null);
  };

/** A repetition has a journal of its own: from the other one it would take every answer. */
const folderOf = (run: RunRef, request: EvaluationRequest, anew: string | null): string => {
  const name = `${request.modelName}-${request.checkpoint}-${request.split}`;
  return join(run.dir, 'evaluations', anew === null ? name : `${name}-anew-${digestOf(anew).slice(0, 8)}`);
};

/**
 * Runs a model through a split by way of a served endpoint. Its journal, in the run's folder, makes it resumable, also on
 * another host that has that folder: what is answered is not asked again, and an attempt that was left behind writes no
 * more.
 *
 * @throws LensmithError `undecided` where too many samples have no verdict, also for want of a judge that passed its audit.
 */
export const evaluateModel =
  (host: Host, sandbox: SharedSandbox) =>
  async (
    run: RunRef,
    request: EvaluationRequest,
    endpoint: ServerEndpoint,
    judge: ServerEndpoint | null,
  ): Promise<EvaluationRecord> => {
    const { spec, anew } = await readRunFile(run);
    const repetition = anew?.[request.stage] ?? null;
    const protocol = await loadProtocol(spec.protocol);
    const outputDir = folderOf(run, request, repetition);
    const pulse = createPulse(run, request.stage);
    const { cancellationSignal } = Context.current();
    const asked = await openFollowedJudge(host, run, spec, judge, cancellationSignal);
    const shared = await sandbox();
    let figures: Record<string, number> = {};
    const pulseFigures: typeof pulse = (progress, attempt) => pulse({ ...progress, figures }, attempt);
    const servers = [endpoint, ...(asked && judge ? [judge] : [])].map(({ name }) => `serve-${name}`);
    const evaluate = (report: (done: number, total: number) => void) =>
      runEvaluation({
        dataset: dataFile(request.data, request.split),
        datasetName: request.split,
        datasetDigest: request.data.digest,
        model: request.modelName,
        checkpoint: request.checkpoint,
        modelDigest: request.model.digest,
        protocol,
        prompt: spec.prompt,
        endpoints: [endpoint.url],
        servedModel: endpoint.servedName,
        sampling: {
          temperature: spec.evaluation.temperature,
          topP: 1,
          maxTokens: spec.evaluation.maxTokens,
          seed: null,
        },
        concurrency: spec.evaluation.concurrency,
        episodeSeconds: spec.evaluation.episodeSeconds,
        maxUndecidedShare: spec.evaluation.maxUndecidedShare,
        outputDir,
        sandbox: shared,
        scoring: asked ? judgedScoring(scoringVersion, asked.id, spec.judge.audit) : scoringVersion,
        grade: (episode) => gradeEpisode(episode, asked ? { judge: judgeForTask(asked.judge, episode.task) } : {}),
        ...(asked ? { judgeStanding: asked.standing } : {}),
        onUnknownSource: (dataSource) =>
          Context.current().log.warn('the data source is not known, its answers are compared as texts', { dataSource }),
        signal: cancellationSignal,
        onProgress: (progress) => {
          figures = progressFigures(progress);
          report(progress.done, progress.total);
        },
      });
    const result = await whileAsking(run, `${outputDir} ${Date.now()}`, servers, () =>
      whileBeating(pulseFigures, Context.current().info.attempt, evaluate),
    ).catch((error: unknown) => {
      // By another failure a run that somebody cancels would fail.
      if (cancellationSignal.aborted && error instanceof LensmithError && error.type === 'cancelled')
        throw new CancelledFailure(error.message);
      throw error;
    });
    const artifact = await publishArtifact(outputDir, 'evaluation', {
      model: request.modelName,
      checkpoint: request.checkpoint,
      split: request.split,
    });
    await recordCached(host, 'evaluation', evaluationKey(spec, protocol, request), run.run, artifact, repetition);
    return { result, artifact, cached: false };
  };
