import { cpuOf, isComplete, type Report, type Run } from './report.ts';
import { type RunOptions, runSubject } from './run-subject.ts';
import { searchBest } from './search-best.ts';
import { median, spread } from './spread.ts';
import type { Subject } from './subjects.ts';
import { tellPeer } from './tell-peer.ts';

const name = 'each at its best';
const ladder = [8, 16, 32, 64, 128, 256];
/** A try of the search takes about so long: what a client does in its first seconds it does more slowly. */
const trySeconds = 20;

export interface CompareOptions {
  readonly ours: Subject;
  readonly peers: readonly Subject[];
  readonly rounds: number;
  /** Least samples of a try of the search; where more are in flight, twice as many as those. */
  readonly searchSamples: number;
  readonly samples: number;
  readonly dataOf: (samples: number) => Promise<string>;
  readonly run: Omit<RunOptions, 'data' | 'samples'>;
  /** CPU seconds of each client's start, by its name. */
  readonly starts: ReadonlyMap<string, number>;
}

const searched = async (report: Report, subject: Subject, options: CompareOptions): Promise<number | undefined> => {
  const runs: Run[] = [];
  let rate = 0;
  const samplesFor = (workers: number): number =>
    100 * Math.ceil(Math.max(options.searchSamples, 2 * workers, trySeconds * rate) / 100);
  const attempt = async (workers: number) => {
    const samples = samplesFor(workers);
    const run = await runSubject(report, subject, workers, {
      ...options.run,
      samples,
      data: await options.dataOf(samples),
    });
    if (!run) return undefined;
    rate = Math.max(rate, run.rate);
    runs.push(run);
    return { workers, rate: isComplete(run) ? run.rate : 0 };
  };
  const best = await searchBest(ladder, subject.likelyWorkers, async (workers) => {
    const before = samplesFor(workers);
    const tried = await attempt(workers);
    // The first try finds out how many samples a try is to have, and counts where it had about as many.
    return tried && samplesFor(workers) >= 2 * before ? attempt(workers) : tried;
  });
  report.table(`search: ${subject.name}`, runs);
  return best?.workers;
};

/** Ours over a peer, round by round: what else the machine did in a round fell on both. */
const tellRounds = (report: Report, peer: string, ours: readonly Run[], theirs: readonly Run[]): void => {
  const pairs = theirs.flatMap((run, round) => {
    const own = ours[round];
    return own ? [{ rate: own.rate / run.rate, cpu: cpuOf(run) / cpuOf(own) }] : [];
  });
  tellPeer(report, name, {
    peer,
    rate: median(theirs.map(({ rate }) => rate)),
    cpuSeconds: median(theirs.map(cpuOf)),
    faster: pairs.map(({ rate }) => rate),
    cheaper: pairs.map(({ cpu }) => cpu),
  });
};

/** What the start has of a client's CPU time a sample; nothing where it is not known. */
const startShare = (seconds: number | undefined, samples: number): string =>
  seconds === undefined ? '' : `, ${((1000 * seconds) / samples).toFixed(1)} ms of it the start`;

/**
 * Finds out with how many at a time each client is quickest, lets all of them do the same work in turn at that, and says
 * what ours is to each peer.
 *
 * @returns Whether every run answered and judged every sample.
 */
export const compareBest = async (report: Report, options: CompareOptions): Promise<boolean> => {
  const subjects = [options.ours, ...options.peers];
  const workers = new Map<Subject, number>();
  for (const subject of subjects) {
    const best = await searched(report, subject, options);
    if (best !== undefined) workers.set(subject, best);
  }
  const data = await options.dataOf(options.samples);
  const runs: Run[] = [];
  for (let round = 0; round < options.rounds; round += 1)
    for (const [subject, each] of workers) {
      const run = await runSubject(report, subject, each, { ...options.run, samples: options.samples, data });
      if (run) runs.push(run);
    }
  report.table(name, runs);
  const of = (subject: Subject): Run[] => runs.filter((run) => run.subject === subject.name);
  const ours = of(options.ours);
  for (const subject of subjects) {
    const its = of(subject);
    if (its.length === 0) continue;
    const rates = spread(its.map(({ rate }) => rate));
    const cpu = spread(its.map((run) => 1000 * cpuOf(run)));
    report.say(
      `${subject.name}, ${workers.get(subject)} at a time: ${rates} samples/s, ${cpu} ms CPU a sample over ${options.samples} samples${startShare(options.starts.get(subject.name), options.samples)}`,
    );
  }
  report.figure(name, options.ours.name, median(ours.map(({ rate }) => rate)), 'samples/s');
  report.figure(name, options.ours.name, median(ours.map(cpuOf)), 'CPU s/sample');
  for (const peer of options.peers) {
    if (of(peer).length > 0) tellRounds(report, peer.name, ours, of(peer));
    else report.say(`${peer.name} answered no run in full`);
  }
  const delays = ours.flatMap(({ loopDelayMs }) => (loopDelayMs === undefined ? [] : [loopDelayMs]));
  report.bar("p99 of the event loop's delay under 50 ms", `${spread(delays)} ms`, median(delays) < 50);
  return runs.length === subjects.length * options.rounds && runs.every(isComplete);
};
