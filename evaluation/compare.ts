import { join } from 'node:path';
import { LensmithError } from '../domain/errors.ts';
import { entryKey, fingerprintDifferences, type JournalHeader } from './journal-entry.ts';
import { readJournal } from './read-journal.ts';
import { type SampleOutcome, sampleOutcome } from './sample-outcome.ts';
import type { SliceKey } from './slice-counts.ts';
import { isInSlice, sliceKeys } from './slices.ts';
import { bootstrapMean } from './statistics/bootstrap-mean.ts';
import { pairedDifference } from './statistics/paired-difference.ts';
import { signFlipExact } from './statistics/sign-flip-exact.ts';

/** Second minus first, with its 95 % interval. */
export interface Difference {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Attempts at one sample are not independent: the intervals and `p` are those of as many samples as there are, which for
 * the interval of the accuracy is the widest that their correlation allows.
 */
export interface SliceComparison extends SliceKey {
  readonly samples: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Of shares of all samples (Newcombe's paired interval); `p` is McNemar's, exact, over samples. */
  readonly accuracy: Difference & { readonly p: number };
  /** Calls an episode (bootstrap over samples). */
  readonly toolCalls: Difference;
}

/** The whole data set, and each of its slices. */
export interface EvaluationComparison extends SliceComparison {
  readonly slices: readonly SliceComparison[];
}

interface Evaluation {
  readonly header: JournalHeader;
  readonly outcomes: ReadonlyMap<string, SampleOutcome>;
}

const readEvaluation = async (dir: string): Promise<Evaluation> => {
  const path = join(dir, 'journal.jsonl');
  const outcomes = new Map<string, SampleOutcome>();
  let header: JournalHeader | undefined;
  try {
    await readJournal(path, {
      onHeader: (found) => {
        header = found;
      },
      onSample: (entry) => outcomes.set(entryKey(entry), sampleOutcome(entry.episode, entry.grade)),
    });
  } catch (cause) {
    if (cause instanceof LensmithError) throw cause;
    throw new LensmithError('data', `expected the journal of an evaluation at ${path}: ${String(cause)}`, {
      where: path,
      cause,
    });
  }
  if (!header) throw new LensmithError('data', `expected a journal with entries at ${path}`, { where: path });
  return { header, outcomes };
};

const refuseUnequal = (first: Evaluation, second: Evaluation): void => {
  const { model: _first, ...before } = first.header.fingerprint;
  const { model: _second, ...after } = second.header.fingerprint;
  const differences = [
    ...(first.header.datasetDigest === second.header.datasetDigest ? [] : ['the data sets']),
    ...fingerprintDifferences(before, after),
  ];
  if (differences.length > 0)
    throw new LensmithError(
      'config',
      `expected two evaluations that differ in the model alone; they differ in ${differences.join('; ')}`,
    );
  const missing = [...first.outcomes.keys()].find((id) => !second.outcomes.has(id));
  if (missing !== undefined || first.outcomes.size !== second.outcomes.size)
    throw new LensmithError(
      'data',
      `expected two evaluations of the same samples, got ${first.outcomes.size} and ${second.outcomes.size}; finish both with the same limit`,
    );
};

type Pair = readonly [SampleOutcome, SampleOutcome];

const compareSlice = (key: SliceKey, pairs: readonly Pair[]): SliceComparison => {
  const count = (first: boolean, second: boolean): number =>
    pairs.filter(([a, b]) => (a.verdict === 'correct') === first && (b.verdict === 'correct') === second).length;
  const onlyFirst = count(true, false);
  const onlySecond = count(false, true);
  const samples = [...Map.groupBy(pairs, ([{ sampleId }]) => sampleId).values()];
  const ofEach = (difference: (a: SampleOutcome, b: SampleOutcome) => number): number[] =>
    samples.map((attempts) => attempts.reduce((sum, [a, b]) => sum + difference(a, b), 0));
  const attempts = samples.length === 0 ? 1 : pairs.length / samples.length;
  const { mean, low, high } = bootstrapMean(ofEach((a, b) => (b.calls - a.calls) / attempts));
  const counts = {
    both: count(true, true) / attempts,
    onlyFirst: onlyFirst / attempts,
    onlySecond: onlySecond / attempts,
    neither: count(false, false) / attempts,
  };
  const p = signFlipExact(ofEach((a, b) => Number(b.verdict === 'correct') - Number(a.verdict === 'correct')));
  return {
    ...key,
    samples: pairs.length,
    onlyFirst,
    onlySecond,
    accuracy: { ...pairedDifference(counts), p },
    toolCalls: { difference: mean, low, high },
  };
};

/**
 * Compares two evaluations sample by sample, from their folders; every difference is second minus first.
 *
 * @throws LensmithError `config` where they differ in more than the model, `data` where their samples differ or a
 * journal cannot be read.
 */
export const compareEvaluations = async (firstDir: string, secondDir: string): Promise<EvaluationComparison> => {
  const [first, second] = await Promise.all([readEvaluation(firstDir), readEvaluation(secondDir)]);
  refuseUnequal(first, second);
  const pairs = [...first.outcomes].flatMap(([key, a]): Pair[] => {
    const b = second.outcomes.get(key);
    return b ? [[a, b]] : [];
  });
  const slices = sliceKeys(pairs.map(([a]) => a)).map((key) =>
    compareSlice(
      key,
      pairs.filter(([a]) => isInSlice(key, a)),
    ),
  );
  const [whole] = slices;
  if (!whole || whole.samples === 0)
    throw new LensmithError('data', 'expected evaluations with samples, got none', { where: firstDir });
  return { ...whole, slices };
};
