import { setTimeout as delay } from 'node:timers/promises';
import { CancelledFailure, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { EvaluationRecord } from '../../activities/evaluate-model.ts';
import type { HostActivities } from '../../activities/index.ts';
import type { ServerRequest } from '../../activities/server-command.ts';
import type { ArtifactRef, CheckpointRef } from '../../domain/artifact.ts';
import type { Slice } from '../../domain/evaluation.ts';
import type { StageResult } from '../../domain/stage.ts';

const artifact = (kind: ArtifactRef['kind'], path: string): ArtifactRef => ({ kind, path, digest: path, details: {} });

const made = (kind: ArtifactRef['kind'], path: string): StageResult => ({
  state: 'completed',
  artifact: artifact(kind, path),
  attempts: 1,
  seconds: 1,
});

export const checkpoint = (step: number): CheckpointRef => ({
  ...artifact('checkpoint', `/runs/test/checkpoints/checkpoint-${step}`),
  kind: 'checkpoint',
  step,
});

const record = (modelName: string, name: string, accuracy: number): EvaluationRecord => {
  const slice: Slice = {
    family: 'all',
    transform: 'all',
    samples: 10,
    correct: Math.round(10 * accuracy),
    accuracy,
    low: 0,
    high: 1,
    accuracyIfUndecidedRight: accuracy,
    undecided: 0,
    toolCallsPerEpisode: 1,
    toolShare: 1,
    executionSuccess: 1,
  };
  return {
    cached: false,
    artifact: artifact('evaluation', `/runs/test/evaluations/${modelName}-${name}`),
    result: {
      version: 1,
      model: modelName,
      checkpoint: name,
      modelDigest: name,
      dataset: 'test',
      datasetDigest: 'data',
      fingerprint: {
        model: modelName,
        protocol: { name: 'miniature', version: 1, digest: 'p' },
        prompt: 'protocol',
        temperature: 0,
        topP: 1,
        maxTokens: 16,
        seed: null,
        isolation: 'namespaces',
        scoring: '1',
      },
      slices: [slice],
      endings: { answered: 10 },
      verdicts: { correct: 5, wrong: 5 },
      judgeDecided: 0,
      seconds: 1,
    },
  };
};

/** What a judge is served by. */
export const judgeRequest: ServerRequest = {
  name: 'judge',
  model: '/models/judge',
  modelDigest: 'judge',
  servedName: 'judge',
  role: 'judge',
  port: null,
};

/** For a run with a judge, which `scriptedHost` has not by itself. */
export const resolveJudge: HostActivities['resolveJudge'] = async () => judgeRequest;

/** Validation accuracy by checkpoint: the second is the best. */
const accuracies: Record<string, number> = { 'checkpoint-2': 0.4, 'checkpoint-4': 0.8, 'checkpoint-6': 0.6 };

/**
 * A host with its GPUs far away: its activities answer as a real one's would, at once, and note each call. RL leaves a
 * checkpoint every 150 ms until `rlSteps`, and ends once one of them was evaluated. `overrides` replaces what a test is
 * about.
 */
export const scriptedHost = (overrides: Partial<HostActivities> = {}, rlSteps = 6) => {
  const calls: string[] = [];
  const written: number[] = [];
  const note = (text: string): void => {
    calls.push(text);
  };
  const untilCancelled = async (): Promise<never> => {
    for (;;) {
      Context.current().heartbeat();
      await Promise.race([delay(50), Context.current().cancelled]);
      if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('cancelled');
    }
  };

  const activities: HostActivities = {
    openRun: async ({ run, workflowId }) => {
      note('openRun');
      return { run, dir: `/runs/${run}`, workflowId };
    },
    planRun: async () => [],
    prepareData: async () => {
      note('prepareData');
      return made('dataset', 'data');
    },
    trainBaseModel: async () => {
      note('trainBaseModel');
      return made('model', 'base');
    },
    trainSft: async () => {
      note('trainSft');
      return made('model', 'sft');
    },
    resolveJudge: async () => null,
    launchModelServer: async (_run, request) => {
      note(`launch ${request.name}`);
      return { name: request.name, url: 'http://127.0.0.1:1/v1', servedName: request.servedName };
    },
    superviseModelServer: untilCancelled,
    stopModelServer: async (_run, request) => note(`stop ${request.name}`),
    launchRayNode: async (_run, gcs) => {
      note(gcs === null ? 'launch ray head' : `launch ray node of ${gcs}`);
      return { address: 'http://127.0.0.1:8265', gcs: '127.0.0.1:6379' };
    },
    superviseRayNode: untilCancelled,
    stopRayNode: async () => note('stop ray node'),
    awaitRay: async () => ({ address: 'http://127.0.0.1:8265', version: '2', gpus: 0 }),
    trainRl: async () => {
      note('trainRl');
      for (let step = 2; step <= rlSteps; step += 2) {
        await delay(150);
        written.push(step);
      }
      while (!calls.some((call) => call.startsWith('evaluate rl'))) {
        Context.current().heartbeat();
        await Context.current().sleep(20);
      }
      note('trainRl ended');
      return made('model', '/runs/test/checkpoints/model');
    },
    awaitCheckpoint: async (_run, _folder, after) => {
      for (;;) {
        const step = written.find((candidate) => candidate > after);
        if (step !== undefined) return checkpoint(step);
        Context.current().heartbeat();
        await Promise.race([delay(20), Context.current().cancelled]);
        if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('cancelled');
      }
    },
    listRlCheckpoints: async () => written.map(checkpoint),
    settleCheckpoint: async (_run, { step }, outcome) => {
      note(`settle ${step} ${outcome.kind}`);
      return [];
    },
    isFullyCached: async () => false,
    findEvaluation: async () => null,
    findTrained: async () => null,
    evaluateModel: async (_run, request) => {
      note(`evaluate ${request.modelName} ${request.checkpoint} ${request.split}`);
      return record(request.modelName, request.checkpoint, accuracies[request.checkpoint] ?? 0.5);
    },
    promote: async (_run, best) => {
      note(`promote ${best.step}`);
      return { decision: 'promoted', why: 'better', checkpoint: best, record: '/promoted/test.json' };
    },
    writeReport: async () => {
      note('writeReport');
      return { report: '/runs/test/report/index.html', summary: '/runs/test/report/summary.json' };
    },
    openNightly: async () => {
      throw ApplicationFailure.nonRetryable('nothing is promoted', 'config');
    },
    closeNightly: async () => {
      throw ApplicationFailure.nonRetryable('nothing was opened', 'config');
    },
    teardownRun: async () => note('teardownRun'),
    markPause: async () => note('markPause'),
    clearPause: async () => note('clearPause'),
    notify: async (_spec, { event }) => note(`notify ${event}`),
    ...overrides,
  };
  return { activities, calls };
};
