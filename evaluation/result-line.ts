import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Episode } from '../domain/episode.ts';
import type { Protocol } from '../domain/protocol.ts';
import { partsText } from '../episodes/message-parts.ts';
import { questionParts } from '../episodes/render-messages.ts';
import type { SampleEntry } from './journal-entry.ts';
import { isFailed, sampleOutcome } from './sample-outcome.ts';

/** How a result line tells of images. */
export interface ImageEmbedding {
  /** Folder of the images by digest. */
  readonly dir: string;
  /** Puts the images themselves into the line, in base64, and not their digests. */
  readonly embed: boolean;
}

/** The messages before the first turn. Those of a data set's own prompt are in the data set, not in the trace. */
const opening = ({ task, inputImages, prompt }: Episode, protocol: Protocol): string[] => {
  if (prompt === 'dataset') return [`user\n${task.question}`];
  const question = partsText(questionParts(protocol, task.question, inputImages.length));
  return [...(protocol.system ? [`system\n${protocol.system}`] : []), `user\n${question}`];
};

const conversation = (episode: Episode, protocol: Protocol): string => {
  const turns = episode.turns.flatMap(({ text, call, reply }) => [
    `assistant\n${text}`,
    ...(reply === null ? [] : [`${call ? protocol.toolMessage.role : 'user'}\n${reply}`]),
  ]);
  return [...opening(episode, protocol), ...turns].join('\n');
};

const images = async (episode: Episode, { dir, embed }: ImageEmbedding): Promise<string[]> => {
  const refs = [...episode.inputImages, ...episode.turns.flatMap(({ call }) => call?.images ?? [])];
  if (!embed) return refs.map(({ digest }) => `sha256:${digest}`);
  const found = refs.map(async ({ digest }) => {
    for (const extension of ['png', 'jpeg', 'webp', 'gif']) {
      const bytes = await readFile(join(dir, `${digest}.${extension}`)).catch(() => undefined);
      if (bytes) return bytes.toString('base64');
    }
    return `sha256:${digest}`;
  });
  return Promise.all(found);
};

/**
 * A sample as a line of `result_{model}_{dataset}.jsonl`: the keys of CodeDance's `eval/eval.py`, then ours. An
 * undecided sample has `acc` 0, so that a mean over the lines keeps every sample in its denominator; `verdict` tells it
 * from a wrong one.
 */
export const resultLine = async (entry: SampleEntry, protocol: Protocol, embedding: ImageEmbedding) => {
  const { episode, grade, sampleId, attempt, row } = entry;
  const { task, turns, ending, error } = episode;
  const { calls, succeededCalls } = sampleOutcome(episode, grade);
  const acc = grade.verdict === 'correct' ? 1 : 0;
  return {
    question: task.question,
    ground_truth: task.reference,
    pred_ans: turns.at(-1)?.text ?? '',
    input: '',
    output: conversation(episode, protocol),
    multi_modal_data: { image: await images(episode, embedding) },
    status: isFailed(ending) ? 'error' : 'success',
    index: row ?? null,
    acc,
    judge_score: acc,
    judge_result: { acc, score: acc, verdict: grade.verdict, decided_by: grade.decidedBy, reason: grade.reason },
    try_count: turns.length,
    tool_call_count: calls,
    tool_success_count: succeededCalls,
    tool_success_rate: calls === 0 ? null : succeededCalls / calls,
    sample_id: sampleId,
    attempt,
    data_source: task.dataSource,
    answer_kind: task.answerKind,
    family: task.family,
    transform: task.transform,
    answer: episode.answer,
    ending,
    verdict: grade.verdict,
    error: error && `${error.type}: ${error.message}`,
    prompt_tokens: turns.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
    completion_tokens: turns.reduce((sum, { completionTokens }) => sum + completionTokens, 0),
    seconds: turns.reduce((sum, { durationMs, call }) => sum + durationMs + (call?.durationMs ?? 0), 0) / 1000,
  };
};
export type ResultLine = Awaited<ReturnType<typeof resultLine>>;
