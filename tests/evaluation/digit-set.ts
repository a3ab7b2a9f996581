import { join } from 'node:path';
import { rlSchema } from '../../datasets/arrow-schemas.ts';
import { writeRows } from '../../datasets/write-parquet.ts';
import type { RlRow } from '../../domain/dataset.ts';
import { loadProtocol } from '../../episodes/load-protocol.ts';
import type { EvaluationOptions } from '../../evaluation/evaluation-options.ts';
import { gradeEpisode, scoringVersion } from '../../scoring/grade-episode.ts';
import { png, ranOk, scriptedSandbox } from '../episodes/scripted-sandbox.ts';
import type { ReceivedRequest } from '../episodes/scripted-server.ts';

/** A row whose right answer is its index; even ones are `sum`, odd ones are `orient` with two transforms. */
const row = (index: number, bytes: Uint8Array): RlRow => {
  const question = `What is ${index}?`;
  return {
    data_source: 'test',
    prompt: [{ role: 'user', content: question }],
    images: [{ bytes, path: null }],
    ability: 'counting',
    reward_model: { style: 'rule', ground_truth: String(index) },
    extra_info: {
      split: 'test',
      index,
      question,
      answer: String(index),
      answer_kind: 'number',
      family: index % 2 === 0 ? 'sum' : 'orient',
      transform: index % 4 === 1 ? 'rotate_90' : 'identity',
    },
  };
};

/** Writes a real Parquet file; the images of `broken` rows do not decode. */
export const writeDigitSet = async (dir: string, rows: number, broken: readonly number[] = []): Promise<string> => {
  const picture = await png(28, 28);
  const path = join(dir, 'test.parquet');
  await writeRows(
    path,
    rlSchema,
    Array.from({ length: rows }, (_, index) => ({
      ...row(index, broken.includes(index) ? Buffer.from('x') : picture),
    })),
  );
  return path;
};

/** The index that a request asks for. */
export const askedIndex = (request: ReceivedRequest): number =>
  Number(/What is (\d+)\?/.exec(JSON.stringify(request.messages))?.[1]);

/** Options of an evaluation by the real rules; the sandbox prints 8. */
export const evaluationOptions = async (
  given: Pick<EvaluationOptions, 'dataset' | 'outputDir' | 'endpoints'> & Partial<EvaluationOptions>,
): Promise<EvaluationOptions> => ({
  datasetName: 'test',
  datasetDigest: 'sha256:data',
  model: 'sft',
  checkpoint: 'model',
  modelDigest: 'sha256:model',
  protocol: await loadProtocol('miniature'),
  servedModel: 'scripted',
  sampling: { temperature: 0, topP: 1, maxTokens: 64, seed: null },
  concurrency: 4,
  episodeSeconds: 20,
  maxUndecidedShare: 0,
  sandbox: scriptedSandbox(() => ranOk('8\n')).sandbox,
  scoring: scoringVersion,
  grade: gradeEpisode,
  signal: new AbortController().signal,
  requests: { attempts: 2, pauseMs: 5 },
  ...given,
});
