import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvaluationResult } from '../domain/evaluation.ts';
import type { Protocol } from '../domain/protocol.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import { stored } from '../processes/storage-failure.ts';
import { type EntrySelection, indexedEntries, indexJournal } from './journal-index.ts';
import { type ResultLine, resultLine } from './result-line.ts';

export interface ResultFilesOptions extends EntrySelection {
  /** Folder of the evaluation, with its journal and images. */
  readonly evaluationDir: string;
  /** Folder that gets the files. */
  readonly dir: string;
  readonly modelName: string;
  readonly dataName: string;
  readonly dataSource: string;
  readonly protocol: Protocol;
  readonly embedImages: boolean;
  /** False where so many samples are undecided that the accuracy says nothing: `avg_acc` is then null. */
  readonly decided: boolean;
}

const createTally = () => {
  const sums = { samples: 0, success: 0, acc: 0, turns: 0, withCalls: 0, rates: 0, prompt: 0, completion: 0 };
  const byTryCount: Record<string, { correct: number; incorrect: number }> = {};
  return {
    add: (line: ResultLine): void => {
      sums.samples += 1;
      sums.success += Number(line.status === 'success');
      sums.acc += line.acc;
      sums.turns += line.try_count;
      sums.withCalls += Number(line.tool_call_count > 0);
      sums.rates += line.tool_success_rate ?? 0;
      sums.prompt += line.prompt_tokens;
      sums.completion += line.completion_tokens;
      const counts = byTryCount[line.try_count] ?? { correct: 0, incorrect: 0 };
      byTryCount[line.try_count] = counts;
      counts[line.acc === 1 ? 'correct' : 'incorrect'] += 1;
    },
    sums,
    byTryCount,
  };
};

/** The content of `stats_{model}_{dataset}.json`: the keys of CodeDance's `eval/eval.py`, then ours. */
const statsOf = (
  { modelName, dataName, dataSource, decided, attempts = 1 }: ResultFilesOptions,
  { sums, byTryCount }: ReturnType<typeof createTally>,
  result: EvaluationResult,
) => {
  const mean = (sum: number): number => (sums.samples === 0 ? 0 : sum / sums.samples);
  const [all] = result.slices;
  return {
    total_samples: sums.samples,
    success_samples: sums.success,
    success_rate: mean(sums.success),
    avg_acc: decided ? mean(sums.acc) : null,
    avg_judge_score: decided ? mean(sums.acc) : null,
    avg_try_count: mean(sums.turns),
    avg_reasoning_turns: mean(sums.turns),
    tool_call_sample_count: sums.withCalls,
    avg_code_exec_success_rate: sums.withCalls === 0 ? 0 : sums.rates / sums.withCalls,
    model_name: modelName,
    data_source: dataSource,
    dataset: dataName,
    dataset_digest: result.datasetDigest,
    decided,
    accuracy_if_undecided_wrong: all?.accuracy ?? 0,
    accuracy_if_undecided_right: all?.accuracyIfUndecidedRight ?? 0,
    accuracy_low: all?.low ?? 0,
    accuracy_high: all?.high ?? 1,
    undecided: all?.undecided ?? 0,
    attempts,
    endings: result.endings,
    verdicts: result.verdicts,
    judge_decided: result.judgeDecided,
    by_try_count: byTryCount,
    slices: result.slices,
    prompt_tokens: sums.prompt,
    completion_tokens: sums.completion,
    fingerprint: result.fingerprint,
    seconds: result.seconds,
  };
};

/**
 * Writes `result_{model}_{dataset}.jsonl`, with a line for every sample, and `stats_{model}_{dataset}.json` from the
 * journal of an evaluation, one entry in memory at a time.
 *
 * @returns The paths of both.
 * @throws LensmithError `disk_full` or `infrastructure` where they cannot be written.
 */
export const writeResultFiles = async (options: ResultFilesOptions, result: EvaluationResult) => {
  const { evaluationDir, dir, modelName, dataName, protocol } = options;
  const journal = join(evaluationDir, 'journal.jsonl');
  const index = await indexJournal(journal, options);
  const embedding = { dir: join(evaluationDir, 'images'), embed: options.embedImages };
  const tally = createTally();
  async function* lines(): AsyncGenerator<string> {
    for await (const entry of indexedEntries(journal, index)) {
      const line = await resultLine(entry, protocol, embedding);
      tally.add(line);
      yield `${JSON.stringify(line)}\n`;
    }
  }
  await stored(dir, mkdir(dir, { recursive: true }));
  const name = `${modelName}_${dataName}`;
  const resultFile = join(dir, `result_${name}.jsonl`);
  const statsFile = join(dir, `stats_${name}.json`);
  await stored(resultFile, writeFileAtomic(resultFile, lines()));
  const stats = `${JSON.stringify(statsOf(options, tally, result), null, 2)}\n`;
  await stored(statsFile, writeFileAtomic(statsFile, stats));
  return { resultFile, statsFile };
};
