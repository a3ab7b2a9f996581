import type { Episode } from '../domain/episode.ts';
import { LensmithError } from '../domain/errors.ts';
import type { Grade } from '../domain/verdict.ts';
import { expectEpisodes } from '../episodes/image-store.ts';
import { createModelClient } from '../episodes/model-client.ts';
import { within } from '../scoring/judge/within.ts';
import { createBeside } from './beside.ts';
import type { CountedFile } from './counted-files.ts';
import type { EvaluationOptions } from './evaluation-options.ts';
import { createFigures, type Figures } from './figures.ts';
import { forEachBounded } from './for-each-bounded.ts';
import type { Journal } from './journal.ts';
import { entryKey, type SampleEntry } from './journal-entry.ts';
import type { JournalState } from './journal-state.ts';
import { loadAhead } from './load-ahead.ts';
import { createPlayer, type LoadedSample } from './play-sample.ts';
import { createProgressCounter } from './progress-counter.ts';
import { openEntryReader } from './read-entry.ts';
import { readSamples, type SampleSlot } from './read-samples.ts';
import { isFailed, sampleOutcome } from './sample-outcome.ts';
import { takenOnceEach } from './taken-once.ts';

/** What is to be done and what is done already. */
export interface AskPlan {
  readonly files: readonly CountedFile[];
  /** Episodes in all. */
  readonly total: number;
  readonly earlier: JournalState;
  readonly journal: Journal;
  readonly journalPath: string;
}

interface Work {
  readonly slot: SampleSlot;
  readonly attempt: number;
  /** Only where it is to be asked. */
  readonly loaded?: LoadedSample;
}

/** Samples that are loaded before an episode is free for them. */
const loadedAhead = 8;

/** A verdict that takes longer than this is a judge's who has to be asked, milliseconds. */
const promptVerdictMs = 200;

/** Of an episode whose verdict is still to come: should it never come, the episode is graded by the next run. */
const notYetGraded: Grade = {
  verdict: 'judge_failed',
  decidedBy: 'none',
  reason: 'the evaluation ended before the judge had decided',
};

/**
 * Asks what the journal does not have yet, and grades anew what the judge could not tell.
 *
 * @returns The counts of all episodes, earlier ones included.
 * @throws LensmithError `cancelled` where `signal` or `drain` fires before all is asked, `config` where the data set
 * has no sample of an id that is wanted; those that it has are asked.
 */
export const askSamples = async (options: EvaluationOptions, plan: AskPlan): Promise<Figures> => {
  const { outputDir, attempts = 1, retryFailed = true, drain } = options;
  const { earlier, journal, files } = plan;
  const counter = createProgressCounter(plan.total);
  const figures = createFigures();
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, broken.signal]);
  const entries = await openEntryReader(plan.journalPath);
  const client = createModelClient({
    endpoints: options.endpoints,
    model: options.servedModel,
    ...(options.apiKey === undefined ? {} : { apiKey: options.apiKey }),
    ...options.requests,
  });

  const player = createPlayer(options, client, signal);

  const isSettled = (key: string): boolean => {
    const outcome = earlier.outcomes.get(key);
    return outcome !== undefined && !earlier.toGrade.has(key) && !(retryFailed && isFailed(outcome.ending));
  };
  const settledRow = (row: number): string | undefined => {
    const sampleId = earlier.rows.get(row);
    if (sampleId === undefined) return undefined;
    const all = Array.from({ length: attempts }, (_, attempt) => isSettled(entryKey({ sampleId, attempt })));
    return all.every(Boolean) ? sampleId : undefined;
  };

  const settle = (outcome: ReturnType<typeof sampleOutcome>): void => {
    figures.add(outcome);
    counter.count(outcome.verdict);
  };
  const write = (entry: Omit<SampleEntry, 'kind'>): Promise<void> => journal.append({ kind: 'sample', ...entry });
  const record = async (entry: Omit<SampleEntry, 'kind'>): Promise<void> => {
    await write(entry);
    settle(sampleOutcome(entry.episode, entry.grade));
  };

  const slowVerdicts = createBeside(options.concurrency, (reason) => broken.abort(reason));
  /** Has an episode graded. Where the verdict is slow, `meanwhile` is done, and no place is kept for what waits for it. */
  const withGrade = async (
    key: string,
    episode: Episode,
    conclude: (grade: Grade) => Promise<void>,
    meanwhile?: () => Promise<void>,
  ): Promise<void> => {
    const grading = options.grade(episode);
    const finish = async (grade: Grade): Promise<void> => {
      await conclude(grade);
      counter.finish(key);
      options.onProgress?.(counter.progress());
    };
    const grade = await within(promptVerdictMs, grading, undefined);
    if (grade) return finish(grade);
    // It may fail before somebody waits for it.
    grading.catch(() => undefined);
    counter.awaitVerdict(key);
    await meanwhile?.();
    await slowVerdicts.begin(async () => finish(await grading));
  };

  const handle = async (work: Work): Promise<void> => {
    signal.throwIfAborted();
    const { slot, attempt, loaded } = work;
    const { sampleId, row } = slot;
    const key = entryKey({ sampleId, attempt });
    const known = earlier.outcomes.get(key);
    if (known && isSettled(key)) {
      settle(known);
      return;
    }
    counter.start(key);
    const place = earlier.toGrade.get(key);
    if (known && place) {
      const { episode, grade: before } = await entries.read(place);
      const conclude = async (grade: Grade): Promise<void> => {
        if (grade.verdict === 'judge_failed' && before.reason !== notYetGraded.reason) settle(known);
        else await record({ sampleId, attempt, row, episode, grade });
      };
      await withGrade(key, episode, conclude);
    } else if (loaded) {
      const played = { sampleId, attempt, row, episode: await player.play(slot, attempt, loaded) };
      const conclude = (grade: Grade): Promise<void> => record({ ...played, grade });
      await withGrade(key, played.episode, conclude, () => write({ ...played, grade: notYetGraded }));
    }
  };

  const unfound = options.samples && new Set(options.samples);
  async function* works(): AsyncGenerator<Work> {
    const { limit = Number.POSITIVE_INFINITY, dataSource } = options;
    const { answerKind, onUnknownSource } = options;
    const reading = {
      settled: settledRow,
      ...(dataSource === undefined ? {} : { dataSource }),
      ...(answerKind === undefined ? {} : { answerKind }),
      ...(onUnknownSource === undefined ? {} : { onUnknownSource }),
    };
    for await (const slot of readSamples(files, reading)) {
      if (slot.row >= limit) return;
      if (unfound && !unfound.delete(slot.sampleId)) {
        slot.release();
        continue;
      }
      for (const [attempt, taken] of takenOnceEach(slot, attempts).entries()) {
        if (drain?.aborted) return;
        yield { slot: taken, attempt };
      }
      if (unfound?.size === 0) return;
    }
  }

  const loaded = async (work: Work): Promise<Work> => {
    const key = entryKey({ sampleId: work.slot.sampleId, attempt: work.attempt });
    if (isSettled(key) || earlier.toGrade.has(key)) {
      work.slot.release();
      return work;
    }
    return { ...work, loaded: await player.load(work.slot) };
  };
  async function* loadedWorks(): AsyncGenerator<Work> {
    for await (const work of loadAhead(works(), loadedAhead, loaded)) {
      if (drain?.aborted) return;
      yield work;
    }
  }

  const endEpisodes = expectEpisodes(options.concurrency);
  const ticker = options.tickMs && setInterval(() => options.onProgress?.(counter.progress()), options.tickMs);
  try {
    try {
      await forEachBounded(loadedWorks(), options.concurrency, handle, (reason) => broken.abort(reason));
    } finally {
      await slowVerdicts.ended();
    }
  } catch (error) {
    if (!options.signal.aborted) throw error;
    throw new LensmithError('cancelled', `the evaluation was cancelled; run again, it goes on from ${outputDir}`, {
      where: outputDir,
      cause: options.signal.reason,
    });
  } finally {
    clearInterval(ticker || undefined);
    endEpisodes();
    await Promise.all([client.close(), entries.close()]);
  }
  const counts = figures.figures();
  if (drain?.aborted && counts.episodes < plan.total)
    throw new LensmithError(
      'cancelled',
      `stopped after ${counter.progress().finished} of ${plan.total} episodes in this run, none of them half-way; run again, it goes on from ${outputDir}`,
      { where: outputDir },
    );
  if (unfound && unfound.size > 0) {
    const among = options.limit === undefined ? '' : ` among its first ${options.limit} rows`;
    throw new LensmithError(
      'config',
      `expected ids of samples, the data set has none named ${[...unfound].join(', ')}${among}`,
      { where: options.dataset },
    );
  }
  return counts;
};
