import { cpuOf, isComplete, type Report, type Run } from './report.ts';
import { runSubject } from './run-subject.ts';
import { type Best, searchWorkers, type Workload } from './search-workers.ts';
import { median, spread } from './spread.ts';
import type { Subject } from './subjects.ts';
import { tellPeer } from './tell-peer.ts';

export interface CompareOptions extends Workload {
  /** What the figures are called. */
  readonly name: string;
  readonly ours: Subject;
  readonly peers: readonly Subject[];
  /** The numbers at a time that may be tried, rising. */
  readonly ladder: readonly number[];
  readonly rounds: number;
  /** Least samples of a try of the search. */
  readonly searchSamples: number;
  /**
   * Samples of a run of a round, by what the search found; with `seconds`, as many as the client does in about that time,
   * so that the beginning and the end of a run, when not all processors have work, weigh the same for a quick one.
   */
  readonly size: { readonly samples: number } | { readonly seconds: number; readonly least: number };
  /** CPU seconds of each client's start, by its name. */
  readonly starts: ReadonlyMap<string, number>;
}

/** A try of the search lasts no longer than this, seconds. */
const longestTry = 20;
/** Samples of the largest data set: 200 kB of each are 2.4 GB to send. */
const mostSamples = 12_000;

const samplesOf = ({ size }: CompareOptions, { rate, workers }: Best): number => {
  if ('samples' in size) return size.samples;
  const samples = 20 * Math.round((size.seconds * rate) / 20);
  return Math.min(mostSamples, Math.max(size.least, 2 * workers, samples));
};

/** Ours over a peer, round by round: what else the machine did in a round fell on both. */
const tellRounds = (
  report: Report,
  name: string,
  peer: string,
  ours: readonly (Run | undefined)[],
  theirs: readonly (Run | undefined)[],
): void => {
  const came = theirs.flatMap((run) => run ?? []);
  const pairs = theirs.flatMap((run, round) => {
    const own = ours[round];
    return run && own ? [{ rate: own.rate / run.rate, cpu: cpuOf(run) / cpuOf(own) }] : [];
  });
  if (pairs.length === 0) {
    report.say(`${name}: no round was run by ${peer} and by ours`);
    return;
  }
  tellPeer(report, name, {
    peer,
    rate: median(came.map(({ rate }) => rate)),
    cpuSeconds: median(came.map(cpuOf)),
    faster: pairs.map(({ rate }) => rate),
    cheaper: pairs.map(({ cpu }) => cpu),
  });
};

/** What a client came to in all rounds, and what its start has of the CPU time a sample, where that is known. */
const tellClient = (report: Report, subject: Subject, runs: readonly Run[], start: number | undefined): void => {
  const [first] = runs;
  if (!first) return;
  const rates = spread(runs.map(({ rate }) => rate));
  const cpu = spread(runs.map((run) => 1000 * cpuOf(run)));
  const ofStart = start === undefined ? '' : `, ${((1000 * start) / first.samples).toFixed(1)} ms of it the start`;
  report.say(
    `${subject.name}, ${first.workers} at a time: ${rates} samples/s, ${cpu} ms CPU a sample over ${first.samples} samples${ofStart}`,
  );
};

/**
 * Finds out with how many at a time each client is quickest, lets all of them work in turn at that, and says what ours is
 * to each peer.
 *
 * @returns Whether every run answered and judged every sample.
 */
export const compareBest = async (report: Report, options: CompareOptions): Promise<boolean> => {
  const { name, ours, peers, size, run, dataOf } = options;
  const subjects = [ours, ...peers];
  const seconds = 'seconds' in size ? Math.min(longestTry, size.seconds) : longestTry;
  const best = new Map<Subject, Best>();
  for (const subject of subjects) {
    const found = await searchWorkers(report, subject, { ...options, samples: options.searchSamples, seconds });
    if (found) best.set(subject, found);
    else report.say(`${name}: ${subject.name} answered no run in full`);
  }
  const rounds: Map<Subject, Run>[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const runs = new Map<Subject, Run>();
    for (const [subject, its] of best) {
      const samples = samplesOf(options, its);
      const came = await runSubject(report, subject, its.workers, { ...run, samples, data: await dataOf(samples) });
      if (came) runs.set(subject, came);
    }
    rounds.push(runs);
  }
  const all = rounds.flatMap((runs) => [...runs.values()]);
  report.table(name, all);
  const of = (subject: Subject): (Run | undefined)[] => rounds.map((runs) => runs.get(subject));
  for (const subject of subjects)
    tellClient(
      report,
      subject,
      of(subject).flatMap((each) => each ?? []),
      options.starts.get(subject.name),
    );
  const own = of(ours).flatMap((each) => each ?? []);
  if (own.length > 0) {
    report.figure(name, ours.name, median(own.map(({ rate }) => rate)), 'samples/s');
    report.figure(name, ours.name, median(own.map(cpuOf)), 'CPU s/sample');
  }
  for (const peer of peers) if (best.has(peer)) tellRounds(report, name, peer.name, of(ours), of(peer));
  const delays = own.flatMap(({ loopDelayMs }) => (loopDelayMs === undefined ? [] : [loopDelayMs]));
  if (delays.length > 0)
    report.bar(`${name}: p99 of the event loop's delay under 50 ms`, `${spread(delays)} ms`, median(delays) < 50);
  return all.length === subjects.length * options.rounds && all.every(isComplete);
};
