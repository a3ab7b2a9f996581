import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { countRows } from '../datasets/read-parquet.ts';
import { LensmithError } from '../domain/errors.ts';
import { type EvaluationResult, evaluationResultSchema, type Fingerprint } from '../domain/evaluation.ts';
import type { Verdict } from '../domain/verdict.ts';
import { checkEndpoint } from '../episodes/served-models.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import { withLock } from '../processes/with-lock.ts';
import { askSamples } from './ask-samples.ts';
import type { EvaluationOptions } from './evaluation-options.ts';
import { openJournal } from './journal.ts';
import { emptyJournalState, takeEntry } from './journal-state.ts';
import { countBy, type SampleOutcome } from './sample-outcome.ts';
import { allSlices } from './slices.ts';

const fingerprintOf = ({ servedModel, modelDigest, ...options }: EvaluationOptions): Fingerprint => ({
  model: modelDigest || servedModel,
  protocol: options.protocol.ref,
  prompt: 'protocol',
  temperature: options.sampling.temperature,
  topP: options.sampling.topP,
  maxTokens: options.sampling.maxTokens,
  seed: options.sampling.seed,
  isolation: options.sandbox.isolation,
  scoring: options.scoring,
});

const listed = (counts: Partial<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

/** What an outage left without a verdict; `unparsed` and `limit` say something about the model. */
const outages: readonly Verdict[] = ['infra_error', 'judge_failed'];

const refuseUndecided = ({ maxUndecidedShare }: EvaluationOptions, outcomes: readonly SampleOutcome[]): void => {
  const undecided = outcomes.filter(({ verdict }) => outages.includes(verdict)).length;
  if (undecided <= maxUndecidedShare * outcomes.length) return;
  const endings = listed(countBy(outcomes.map(({ ending }) => ending)));
  const verdicts = listed(countBy(outcomes.map(({ verdict }) => verdict)));
  throw new LensmithError(
    'undecided',
    `expected at most ${(100 * maxUndecidedShare).toFixed(1)} % of the samples without a verdict for an outage's sake, got ${undecided} of ${outcomes.length}; see the journal for why, and run again to ask anew what the outage hit`,
    { where: `endings: ${endings}; verdicts: ${verdicts}` },
  );
};

const evaluate = async (options: EvaluationOptions): Promise<EvaluationResult> => {
  const started = performance.now();
  const { outputDir, dataset } = options;
  const rows = await countRows(dataset);
  const total = Math.min(rows, options.limit ?? rows);
  const fingerprint = fingerprintOf(options);
  const state = emptyJournalState();
  const header = { kind: 'header', version: 1, datasetDigest: options.datasetDigest, fingerprint } as const;
  const journal = await openJournal(join(outputDir, 'journal.jsonl'), header, (entry) => takeEntry(state, entry));
  let outcomes: SampleOutcome[];
  try {
    outcomes = await askSamples(options, total, state, journal);
  } finally {
    await journal.close();
  }
  if (outcomes.length !== total)
    throw new LensmithError('data', `expected ${total} samples, got ${outcomes.length}`, { where: dataset });
  refuseUndecided(options, outcomes);
  const result = evaluationResultSchema.parse({
    version: 1,
    model: options.model,
    checkpoint: options.checkpoint,
    modelDigest: options.modelDigest,
    dataset: options.datasetName,
    datasetDigest: options.datasetDigest,
    fingerprint,
    slices: allSlices(outcomes),
    endings: countBy(outcomes.map(({ ending }) => ending)),
    verdicts: countBy(outcomes.map(({ verdict }) => verdict)),
    judgeDecided: outcomes.filter(({ decidedBy }) => decidedBy === 'judge').length,
    seconds: (performance.now() - started) / 1000,
  });
  await writeFileAtomic(join(outputDir, 'result.json'), `${JSON.stringify(result, null, 2)}\n`);
  return result;
};

/**
 * Runs one model through a data set: asks each sample, grades it, journals it, and writes `result.json`. Run again with
 * the same options it goes on where it was: what has a verdict is not asked again, what an outage hit is.
 *
 * @throws LensmithError `config` where an endpoint serves another model or the folder has another evaluation's
 * journal, `data` where the data set cannot be read, `undecided` above `maxUndecidedShare`, `cancelled` where `signal`
 * fires, `infrastructure` where an endpoint is away or another process evaluates into the folder.
 */
export const runEvaluation = async (options: EvaluationOptions): Promise<EvaluationResult> => {
  await Promise.all(
    options.endpoints.map((url) =>
      checkEndpoint(url, options.servedModel, options.apiKey === undefined ? {} : { apiKey: options.apiKey }),
    ),
  );
  await mkdir(options.outputDir, { recursive: true });
  const lock = createHash('sha256')
    .update(await realpath(options.outputDir))
    .digest('hex');
  return withLock(`evaluation-${lock.slice(0, 32)}`, () => evaluate(options), 30_000);
};
