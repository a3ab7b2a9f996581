import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hostFromEnvironment } from '../../activities/host.ts';
import { judgeAuditFolder } from '../../activities/judge-audit-folder.ts';
import { judgedScoring } from '../../activities/judged-scoring.ts';
import { LensmithError } from '../../domain/errors.ts';
import type { EvaluationResult } from '../../domain/evaluation.ts';
import { loadProtocol } from '../../episodes/load-protocol.ts';
import { servedModels } from '../../episodes/served-models.ts';
import { countedFiles } from '../../evaluation/counted-files.ts';
import { datasetDigest } from '../../evaluation/dataset-digest.ts';
import type { EvaluationOptions } from '../../evaluation/evaluation-options.ts';
import { writeResultFiles } from '../../evaluation/result-files.ts';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { stored } from '../../processes/storage-failure.ts';
import { openSandbox } from '../../sandbox/open-sandbox.ts';
import { scoringAs } from '../../scoring/answer-kind-of.ts';
import { gradeEpisode, scoringVersion } from '../../scoring/grade-episode.ts';
import { auditedJudge } from '../../scoring/judge/audited-judge.ts';
import { openJudge } from '../../scoring/judge/judge-client.ts';
import { judgeForTask } from '../../scoring/judge/judge-kind.ts';
import type { EvalFlags } from './eval-flags.ts';
import type { Interrupt } from './eval-interrupt.ts';
import { evaluationNames } from './eval-names.ts';
import type { createProgressView } from './eval-progress.ts';

/** What an evaluation has come to, and where its files are. */
export interface EvalOutcome {
  readonly result: EvaluationResult;
  readonly evaluationDir: string;
  /** Undefined where only some samples were asked. */
  readonly files: { readonly resultFile: string; readonly statsFile: string } | undefined;
  /** False where too many samples are undecided for an accuracy. */
  readonly decided: boolean;
}

/** The first model of the first server that has one: one of several may be away. */
const firstServed = async (urls: readonly string[], apiKey: string | undefined): Promise<string> => {
  const faults: unknown[] = [];
  for (const url of urls) {
    try {
      const [first] = await servedModels(url, apiKey === undefined ? {} : { apiKey });
      if (first !== undefined) return first;
      faults.push(new LensmithError('config', `expected ${url} to serve a model, it lists none`, { where: url }));
    } catch (error) {
      faults.push(error);
    }
  }
  throw faults[0];
};

const onNote = (note: string): void => {
  process.stderr.write(`lensmith: ${note}\n`);
};

const judgeOf = async (flags: EvalFlags, home: string, signal: AbortSignal) => {
  const [first, ...others] = flags.judgeUrl ?? [];
  if (first === undefined) return { scoring: scoringVersion };
  const model = flags.judgeModel ?? (await firstServed([first, ...others], flags.judgeKey));
  const key = flags.judgeKey === undefined ? {} : { apiKey: flags.judgeKey };
  const cacheDir = join(home, 'cache', 'judge');
  const client = openJudge({ url: [first, ...others], model, cacheDir, signal, onNote, ...key });
  const judge = auditedJudge({ client, policy: flags.judgeAudit, folder: judgeAuditFolder({ home }) });
  return { judge, scoring: judgedScoring(scoringVersion, model, flags.judgeAudit) };
};

/**
 * Does what `lensmith eval` was asked for: runs or goes on with the evaluation, then writes its result files.
 *
 * @throws LensmithError as `runEvaluation`, but for `undecided`, which is `decided: false`.
 */
export const runEval = async (
  flags: EvalFlags,
  interrupt: Interrupt,
  view: ReturnType<typeof createProgressView>,
): Promise<EvalOutcome> => {
  const { python, home } = await hostFromEnvironment();
  const protocol = await loadProtocol(flags.protocol);
  const servedModel = flags.evalModelName ?? (await firstServed(flags.apiUrl, flags.apiKey));
  const { modelName, dataName } = evaluationNames(flags.modelName ?? servedModel, flags.dataPath);
  const dir = join(flags.savePath, modelName);
  const evaluationDir = join(dir, dataName);
  // A data set that is not one leaves nothing behind.
  const dataFiles = await countedFiles(flags.dataPath);
  // What is open from the sandbox on keeps the process alive: whatever the flags have wrong is found before.
  await stored(evaluationDir, mkdir(evaluationDir, { recursive: true }));
  const digest = await datasetDigest(flags.dataPath, join(evaluationDir, 'data-digests.json'));
  const { judge, scoring } = await judgeOf(flags, home, interrupt.stop);
  const { answerKind, attempts, limit, sample } = flags;
  const sandbox = await openSandbox({
    python,
    isolation: flags.isolation,
    maxSessions: Math.max(512, flags.numWorkers),
  });
  let files: EvalOutcome['files'];
  let reported: EvaluationResult | undefined;
  const writeFiles = async (result: EvaluationResult, decided: boolean): Promise<void> => {
    files = await writeResultFiles(
      {
        evaluationDir,
        dir,
        modelName,
        dataName,
        dataSource: flags.dataSource,
        protocol: protocol.protocol,
        embedImages: flags.embedImages,
        decided,
        attempts,
        ...(limit === undefined ? {} : { limit }),
      },
      result,
    );
  };
  const options: EvaluationOptions = {
    dataset: flags.dataPath,
    files: dataFiles,
    datasetName: dataName,
    datasetDigest: digest,
    model: modelName,
    checkpoint: 'model',
    modelDigest: '',
    protocol,
    prompt: flags.prompt,
    endpoints: flags.apiUrl,
    servedModel,
    apiKey: flags.apiKey,
    sampling: {
      temperature: flags.temperature,
      topP: flags.topP,
      maxTokens: flags.maxTokens,
      seed: flags.seed ?? null,
    },
    concurrency: flags.numWorkers,
    episodeSeconds: flags.episodeSeconds,
    maxUndecidedShare: flags.maxUndecided,
    outputDir: evaluationDir,
    sandbox,
    scoring: answerKind === undefined ? scoring : scoringAs(scoring, answerKind),
    grade: (episode) => gradeEpisode(episode, judge ? { judge: judgeForTask(judge.judge, episode.task) } : {}),
    ...(judge ? { judgeStanding: judge.standing } : {}),
    signal: interrupt.stop,
    drain: interrupt.drain,
    onProgress: view.show,
    tickMs: 500,
    attempts,
    retryFailed: flags.retryFailed,
    rejudge: flags.rejudge,
    dataSource: flags.dataSource,
    keepImages: flags.embedImages ? Number.POSITIVE_INFINITY : flags.keepImages,
    requests: {
      requestSeconds: flags.requestSeconds,
      onNote,
    },
    report: async (result) => {
      reported = result;
    },
    onUnknownSource: (source) =>
      process.stderr.write(
        `lensmith: the data source "${source}" is not known: its answers are compared as texts; --answer-kind says another kind\n`,
      ),
    ...(answerKind === undefined ? {} : { answerKind }),
    ...(limit === undefined ? {} : { limit }),
    ...(sample === undefined ? {} : { samples: sample }),
  };
  try {
    const result = await runEvaluation(options);
    if (sample === undefined) await writeFiles(result, true);
    return { result, evaluationDir, files, decided: true };
  } catch (error) {
    if (!reported || !(error instanceof LensmithError) || error.type !== 'undecided') throw error;
    await writeFiles(reported, false);
    return { result: reported, evaluationDir, files, decided: false };
  } finally {
    await sandbox.close();
  }
};
