import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addUsageFact } from '../../activities/gpu-hours-record.ts';
import type { ReportInput } from '../../activities/write-report.ts';
import type { ArtifactRef } from '../../domain/artifact.ts';
import type { Episode } from '../../domain/episode.ts';
import type { EvaluationResult, Fingerprint } from '../../domain/evaluation.ts';
import type { UsageFact } from '../../domain/gpu-hours-facts.ts';
import { runSpecSchema } from '../../domain/run-spec.ts';
import type { RunRef, StageStatus } from '../../domain/stage.ts';
import { stageNames } from '../../domain/stage.ts';
import { countBy, sampleOutcome } from '../../evaluation/sample-outcome.ts';
import { allSlices } from '../../evaluation/slices.ts';
import { encodeLine } from '../../processes/checked-line.ts';
import { episodeOf, gradeOf } from '../support/episodes.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';

export const samples = 12;
export const hostile = '<script>alert("model")</script>';
export const begunAt = Date.parse('2026-01-02T03:04:05.000Z');

const artifact = (kind: ArtifactRef['kind'], path: string): ArtifactRef => ({
  kind,
  path,
  digest: kind.padEnd(64, '0'),
  details: {
    seed: 7,
    source: 'MNIST',
    rows: { test: samples, captions: 76000 },
    schema: { test: 'rl', captions: 'sft' },
    digits: { test: { part: 'test', from: 0, to: 10000 } },
  },
});

const fingerprint = (model: string): Fingerprint => ({
  model,
  protocol: { name: 'miniature', version: 1, digest: 'f'.repeat(64) },
  prompt: 'protocol',
  temperature: 0,
  topP: 1,
  maxTokens: 48,
  seed: null,
  isolation: 'namespaces',
  scoring: 'rules-1',
});

/** Half of the samples are sums, the others digits, upright and turned; the first `right` of them are right. */
const episodes = (right: number, callsTool: boolean): { episode: Episode; verdict: 'correct' | 'wrong' }[] =>
  Array.from({ length: samples }, (_, index) => {
    const task = {
      sampleId: `test-${index}`,
      question: hostile,
      family: index % 2 === 0 ? 'sum' : 'orient',
      transform: index % 4 === 3 ? 'rotate_90' : 'identity',
    };
    const episode = episodeOf(callsTool ? ['ok'] : [], hostile, task);
    const image = { digest: 'a1', width: 28, height: 28 };
    return { episode: { ...episode, inputImages: [image] }, verdict: index < right ? 'correct' : 'wrong' };
  });

const evaluation = async (dir: string, model: string, checkpoint: string, right: number) => {
  const path = join(dir, 'evaluations', `${model}-${checkpoint}`);
  await mkdir(join(path, 'images'), { recursive: true });
  await writeFile(join(path, 'images', 'a1.png'), 'not much of a picture');
  const made = episodes(right, model !== 'base').map(({ episode, verdict }) => ({ episode, grade: gradeOf(verdict) }));
  const lines = [
    { kind: 'header', version: 1, datasetDigest: 'd', fingerprint: fingerprint(model) },
    ...made.map(({ episode, grade }) => ({
      kind: 'sample',
      sampleId: episode.task.sampleId,
      attempt: 0,
      episode,
      grade,
    })),
  ];
  await writeFile(join(path, 'journal.jsonl'), lines.map(encodeLine).join(''));
  const result: EvaluationResult = {
    version: 1,
    model,
    checkpoint,
    modelDigest: model,
    dataset: checkpoint === 'model' ? 'test' : 'validation',
    datasetDigest: 'd',
    fingerprint: fingerprint(model),
    slices: allSlices(made.map(({ episode, grade }) => sampleOutcome(episode, grade))),
    endings: { answered: samples },
    verdicts: countBy(made.map(({ grade }) => grade.verdict)) as Record<string, number>,
    judgeDecided: 0,
    seconds: 1,
  };
  return { result, artifact: artifact('evaluation', path), cached: false };
};

const rlLine = (step: number, reward: number): string =>
  JSON.stringify({
    step,
    at: begunAt,
    reward,
    terms: { accuracy: reward, toolCost: -0.1 },
    accuracy: reward,
    toolCallsPerEpisode: 1,
    executionSuccess: null,
    length: 20,
    kl: 0.01,
    loss: 0.1,
    gradNorm: 1,
    learningRate: 0.0001,
    masked: 0,
    seconds: { generation: 1, tools: 2, scoring: 0.5, training: 0.75 },
  });

const sftAttempt = { stage: 'sft', attempt: 1 } as const;

/** SFT held two slots for 36 seconds: six of loading, twenty up to a checkpoint, ten that were lost. */
const usage: UsageFact[] = [
  {
    kind: 'attempt-started',
    ...sftAttempt,
    unit: 'cpu-slot',
    count: 2,
    role: 'trainer',
    resumeStep: null,
    folder: 'sft',
    at: begunAt,
  },
  { kind: 'attempt-running', ...sftAttempt, at: begunAt + 6000 },
  { kind: 'checkpoint', stage: 'sft', folder: 'sft', step: 2, at: begunAt + 26_000 },
  { kind: 'attempt-ended', ...sftAttempt, at: begunAt + 36_000, type: 'preemption', succeeded: false },
];

/** A small finished run: base has 3 of 12 right, SFT 6, RL 9 with two checkpoints; its RL comes from an earlier run. */
export const makeRun = async (home: string): Promise<{ run: RunRef; input: ReportInput }> => {
  const dir = join(home, 'made');
  const earlier = join(home, 'earlier');
  await mkdir(join(dir, 'stages', 'sft'), { recursive: true });
  await mkdir(join(earlier, 'stages', 'rl'), { recursive: true });
  await writeFile(
    join(dir, 'run.json'),
    JSON.stringify({
      version: 1,
      run: 'made',
      workflowId: 'train/made',
      execution: 'x',
      createdAt: new Date(begunAt).toISOString(),
      spec: runSpecSchema.parse(
        miniatureSpec({ name: 'made', seed: 7, judge: { engine: 'builtin', model: 'tiny-judge' } }),
      ),
    }),
  );
  await writeFile(
    join(dir, 'stages', 'sft', 'metrics.jsonl'),
    '{"step":1,"at":1,"loss":2}\n{"step":2,"at":2,"loss":1}\n',
  );
  await writeFile(join(earlier, 'stages', 'rl', 'metrics.jsonl'), `${rlLine(1, 0.25)}\n${rlLine(2, 0.5)}\n{"step":3`);
  for (const fact of usage) await addUsageFact({ dir }, fact);
  const checkpoints = [
    { step: 2, record: await evaluation(dir, 'rl', 'checkpoint-2', 7) },
    { step: 4, record: await evaluation(dir, 'rl', 'checkpoint-4', 9) },
  ];
  const stages = stageNames.map(
    (name, index): StageStatus => ({
      name,
      state: name === 'report' ? 'running' : name === 'rl' ? 'cached' : 'completed',
      attempts: name === 'report' || name === 'rl' ? 0 : 1,
      startedAt: begunAt + 60_000 * index,
      endedAt: name === 'report' ? null : begunAt + 60_000 * (index + 1),
      progress: null,
      note: name === 'rl' ? hostile : '',
    }),
  );
  return {
    run: { run: 'made', dir, workflowId: 'train/made' },
    input: {
      stages,
      checkpoints,
      benchmark: [
        await evaluation(dir, 'base', 'model', 3),
        await evaluation(dir, 'sft', 'model', 6),
        await evaluation(dir, 'rl', 'model', 9),
      ],
      promotion: {
        decision: 'forced',
        why: 'no detectable gain over SFT: as wanted',
        checkpoint: { ...artifact('checkpoint', join(earlier, 'checkpoints', 'checkpoint-4')), step: 4 },
        record: join(home, 'promoted', 'made.json'),
      },
      base: artifact('model', join(dir, 'base-model', 'model')),
      sft: artifact('model', join(dir, 'sft', 'model')),
      rl: {
        state: 'cached',
        artifact: artifact('model', join(earlier, 'checkpoints', 'model')),
        attempts: 0,
        seconds: 0,
      },
      data: artifact('dataset', join(dir, 'data')),
      judge: null,
    },
  };
};
