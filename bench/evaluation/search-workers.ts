import { isComplete, type Report, type Run } from './report.ts';
import { type RunOptions, runSubject } from './run-subject.ts';
import { searchBest } from './search-best.ts';
import type { Subject } from './subjects.ts';

/** What all clients of a comparison are asked. */
export interface Workload {
  /** The path of a data set of so many samples, made where it is not there yet. */
  readonly dataOf: (samples: number) => Promise<string>;
  readonly run: Omit<RunOptions, 'data' | 'samples'>;
}

export interface SearchOptions extends Workload {
  /** Least samples of a try; where more are in flight, twice as many as those. */
  readonly samples: number;
  /** How long a try lasts, seconds: what a client does in its first seconds it does more slowly. */
  readonly seconds: number;
  /** The numbers that may be tried, rising. */
  readonly ladder: readonly number[];
}

/** What suits a client best, and the samples a second that it then does. */
export interface Best {
  readonly workers: number;
  readonly rate: number;
}

/** A number of samples that a few other runs are likely to want too, so that they share a data set. */
const rounded = (samples: number): number => {
  const step = samples > 200 ? 100 : 20;
  return step * Math.ceil(samples / step);
};

/** Finds with how many at a time a client is quickest; undefined where no try answered and judged every sample. */
export const searchWorkers = async (
  report: Report,
  subject: Subject,
  { samples: least, seconds, ladder, dataOf, run }: SearchOptions,
): Promise<Best | undefined> => {
  const runs: Run[] = [];
  let rate = 0;
  const samplesFor = (workers: number): number => rounded(Math.max(least, 2 * workers, seconds * rate));
  const attempt = async (workers: number) => {
    const samples = samplesFor(workers);
    const came = await runSubject(report, subject, workers, { ...run, samples, data: await dataOf(samples) });
    if (!came) return undefined;
    rate = Math.max(rate, came.rate);
    runs.push(came);
    return { workers, rate: isComplete(came) ? came.rate : 0 };
  };
  const start = ladder.findLast((workers) => workers <= subject.likelyWorkers) ?? ladder[0] ?? subject.likelyWorkers;
  const best = await searchBest(ladder, start, async (workers) => {
    const before = samplesFor(workers);
    const tried = await attempt(workers);
    // The first try finds out how many samples a try is to have, and counts where it had about as many.
    return tried && samplesFor(workers) >= 2 * before ? attempt(workers) : tried;
  });
  report.table(`search: ${subject.name}`, runs);
  return best;
};
