import { join } from 'node:path';
import { readRlRows } from '../datasets/read-rows.ts';
import { LensmithError } from '../domain/errors.ts';
import { createImageStore } from '../episodes/image-store.ts';
import { createModelClient } from '../episodes/model-client.ts';
import { runEpisode } from '../episodes/run-episode.ts';
import type { EvaluationOptions } from './evaluation-options.ts';
import { forEachBounded } from './for-each-bounded.ts';
import type { Journal } from './journal.ts';
import type { SampleEntry } from './journal-entry.ts';
import type { JournalState } from './journal-state.ts';
import { createProgressCounter } from './progress-counter.ts';
import { sampleOfRow } from './sample-of-row.ts';
import { type SampleOutcome, sampleOutcome } from './sample-outcome.ts';
import { saveImages } from './save-images.ts';

/** The rows with their place in the file. */
async function* numbered<Item>(items: AsyncIterable<Item>): AsyncGenerator<readonly [number, Item]> {
  let place = 0;
  for await (const item of items) {
    yield [place, item];
    place += 1;
  }
}

/**
 * Asks what the journal does not have yet, and grades anew what the judge could not tell.
 *
 * @param total - Samples of the data set, for the progress.
 * @returns One outcome a sample of the data set.
 */
export const askSamples = async (
  options: EvaluationOptions,
  total: number,
  earlier: JournalState,
  journal: Journal,
): Promise<SampleOutcome[]> => {
  const { dataset, outputDir, keepImages = 64 } = options;
  const outcomes = new Map<string, SampleOutcome>();
  const seen = new Set<string>();
  const counter = createProgressCounter(total);
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, broken.signal]);
  const client = createModelClient({
    endpoints: options.endpoints,
    model: options.servedModel,
    ...(options.apiKey === undefined ? {} : { apiKey: options.apiKey }),
    ...options.requests,
  });

  const settle = (outcome: SampleOutcome): void => {
    outcomes.set(outcome.sampleId, outcome);
    counter.count(outcome.verdict);
  };

  const record = async (entry: Omit<SampleEntry, 'kind' | 'attempt'>): Promise<void> => {
    await journal.append({ kind: 'sample', attempt: 0, ...entry });
    settle(sampleOutcome(entry.episode, entry.grade));
  };

  const ask = async (place: number, sample: Awaited<ReturnType<typeof sampleOfRow>>): Promise<void> => {
    const store = createImageStore();
    const episode = await runEpisode({
      ...sample,
      protocol: options.protocol,
      client,
      sandbox: options.sandbox,
      sampling: options.sampling,
      signal,
      deadlineSeconds: options.episodeSeconds,
      store,
    });
    if (place < keepImages) await saveImages(episode, store, join(outputDir, 'images'));
    await record({ sampleId: sample.task.sampleId, episode, grade: await options.grade(episode) });
  };

  const handle = async ([place, row]: readonly [number, Parameters<typeof sampleOfRow>[0]]): Promise<void> => {
    signal.throwIfAborted();
    const sample = await sampleOfRow(row, dataset);
    const { sampleId } = sample.task;
    if (seen.has(sampleId))
      throw new LensmithError('data', `expected each sample once, but "${sampleId}" (split and index) is there twice`, {
        where: `${dataset}, row ${place}`,
      });
    seen.add(sampleId);
    const known = earlier.outcomes.get(sampleId);
    const toGrade = earlier.toGrade.get(sampleId);
    if (known) {
      settle(known);
      return;
    }
    counter.start(sampleId);
    if (toGrade) await record({ sampleId, episode: toGrade, grade: await options.grade(toGrade) });
    else await ask(place, sample);
    counter.finish(sampleId);
    options.onProgress?.(counter.progress());
  };

  try {
    const rows = readRlRows(dataset, options.limit === undefined ? {} : { limit: options.limit });
    await forEachBounded(numbered(rows), options.concurrency, handle, (reason) => broken.abort(reason));
  } catch (error) {
    if (!options.signal.aborted) throw error;
    throw new LensmithError('cancelled', `the evaluation was cancelled; run again, it goes on from ${outputDir}`, {
      where: outputDir,
      cause: options.signal.reason,
    });
  } finally {
    await client.close();
  }
  return [...outcomes.values()];
};
