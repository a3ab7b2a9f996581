import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { LensmithError } from '../domain/errors.ts';
import { type EvaluationResult, evaluationResultSchema } from '../domain/evaluation.ts';
import type { JudgeStanding } from '../domain/judge.ts';
import type { Verdict } from '../domain/verdict.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import { stored } from '../processes/storage-failure.ts';
import { withLock } from '../processes/with-lock.ts';
import { askSamples } from './ask-samples.ts';
import { countedFiles, rowsOf } from './counted-files.ts';
import type { EvaluationOptions } from './evaluation-options.ts';
import { type Figures, listed } from './figures.ts';
import { fingerprintOf, journalHeader } from './fingerprint.ts';
import { openJournal } from './journal.ts';
import { emptyJournalState, takeEntry } from './journal-state.ts';
import { rejudge } from './rejudge.ts';
import { countedSlices } from './slices.ts';

/** What an outage left without a verdict; `unparsed` and `limit` say something about the model. */
const outages: readonly Verdict[] = ['infra_error', 'judge_failed'];

const refusedJudge = (judge: JudgeStanding | undefined): string =>
  judge?.audit === 'failed' && !judge.decides
    ? `. The judge ${judge.id} decided none: ${judge.note}. Take another judge, or set judge.audit to "force"`
    : '';

const refuseUndecided = (
  { maxUndecidedShare }: EvaluationOptions,
  { episodes, endings, verdicts }: Figures,
  judge: JudgeStanding | undefined,
): void => {
  const undecided = outages.reduce((sum, verdict) => sum + (verdicts[verdict] ?? 0), 0);
  if (undecided <= maxUndecidedShare * episodes) return;
  throw new LensmithError(
    'undecided',
    `expected at most ${(100 * maxUndecidedShare).toFixed(1)} % of the samples without a verdict for an outage's sake, got ${undecided} of ${episodes}; see the journal for why, and run again to ask anew what the outage hit${refusedJudge(judge)}`,
    { where: `endings: ${listed(endings)}; verdicts: ${listed(verdicts)}` },
  );
};

/** Reads the journal, asks what is missing in it, and checks that no episode is lost. */
const ask = async (options: EvaluationOptions): Promise<Figures> => {
  const { dataset, limit, samples, attempts = 1 } = options;
  const files = options.files ?? (await countedFiles(dataset));
  const total = (samples?.length ?? Math.min(rowsOf(files), limit ?? Number.POSITIVE_INFINITY)) * attempts;
  const earlier = emptyJournalState();
  const journalPath = join(options.outputDir, 'journal.jsonl');
  const header = journalHeader(options);
  if (options.rejudge) await rejudge(journalPath, header, options);
  const journal = await openJournal(journalPath, header, (entry, place) => takeEntry(earlier, entry, place));
  let figures: Figures;
  try {
    figures = await askSamples(options, { files, total, earlier, journal, journalPath });
  } finally {
    await journal.close();
  }
  if (figures.episodes === total) return figures;
  throw new LensmithError('data', `expected ${total} episodes, got ${figures.episodes}`, { where: dataset });
};

const resultOf = (
  options: EvaluationOptions,
  figures: Figures,
  judge: JudgeStanding | undefined,
  seconds: number,
): EvaluationResult =>
  evaluationResultSchema.parse({
    version: 1,
    model: options.model,
    checkpoint: options.checkpoint,
    modelDigest: options.modelDigest,
    dataset: options.datasetName,
    datasetDigest: options.datasetDigest,
    fingerprint: fingerprintOf(options),
    slices: countedSlices(figures.slices, options.attempts),
    endings: figures.endings,
    verdicts: figures.verdicts,
    judgeDecided: figures.judgeDecided,
    ...(judge ? { judge } : {}),
    seconds,
  });

const evaluate = async (options: EvaluationOptions): Promise<EvaluationResult> => {
  const started = performance.now();
  const figures = await ask(options);
  const judge = await options.judgeStanding?.();
  const result = resultOf(options, figures, judge, (performance.now() - started) / 1000);
  if (options.samples) return result;
  await options.report?.(result);
  refuseUndecided(options, figures, judge);
  const file = join(options.outputDir, 'result.json');
  await stored(file, writeFileAtomic(file, `${JSON.stringify(result, null, 2)}\n`));
  return result;
};

/**
 * Runs one model through a data set: asks each sample, grades it, journals it, and writes `result.json`. Run again with
 * the same options it goes on where it was: what has a verdict is not asked again, what an outage hit is. With
 * `samples` the journal alone is written.
 *
 * @throws LensmithError `config` where an endpoint serves another model, the folder has another evaluation's journal, or
 * `samples` names an id that the data set has not, `data` where the data set cannot be read, `undecided` above
 * `maxUndecidedShare`, `cancelled` where `signal` fires, `disk_full` where the disk is full, `infrastructure` where an
 * endpoint is away, the folder cannot be written, or another process evaluates into it.
 */
export const runEvaluation = async (options: EvaluationOptions): Promise<EvaluationResult> => {
  await stored(options.outputDir, mkdir(options.outputDir, { recursive: true }));
  const lock = createHash('sha256')
    .update(await realpath(options.outputDir))
    .digest('hex');
  const name = `evaluation-${lock.slice(0, 32)}`;
  try {
    return await withLock(name, () => evaluate(options), 30_000);
  } catch (error) {
    if (!(error instanceof LensmithError) || error.where !== name) throw error;
    // The lock's name says nothing to whoever reads it.
    throw new LensmithError('infrastructure', 'another process evaluates into this folder; wait for it or stop it', {
      where: options.outputDir,
      cause: error,
    });
  }
};
