import { cpuOf, isComplete, type Report, type Run } from './report.ts';
import { type RunOptions, runSubject } from './run-subject.ts';
import { searchBest } from './search-best.ts';
import { median, spread } from './spread.ts';
import type { Subject } from './subjects.ts';

const name = 'each at its best';
const ladder = [8, 16, 32, 64, 128, 256];
/** The rate of either peer, and its part of their CPU seconds. */
const bar = 8;

export interface CompareOptions {
  readonly ours: Subject;
  readonly peers: readonly Subject[];
  readonly rounds: number;
  /** Samples of a try of the search, where no more are in flight; else twice as many as those. */
  readonly searchSamples: number;
  readonly samples: number;
  readonly dataOf: (samples: number) => Promise<string>;
  readonly run: Omit<RunOptions, 'data' | 'samples'>;
}

const searched = async (report: Report, subject: Subject, options: CompareOptions): Promise<number | undefined> => {
  const runs: Run[] = [];
  const best = await searchBest(ladder, subject.likelyWorkers, async (workers) => {
    const samples = Math.max(options.searchSamples, 2 * workers);
    const run = await runSubject(report, subject, workers, {
      ...options.run,
      samples,
      data: await options.dataOf(samples),
    });
    if (!run) return undefined;
    runs.push(run);
    return { workers, rate: isComplete(run) ? run.rate : 0 };
  });
  report.table(`search: ${subject.name}`, runs);
  return best?.workers;
};

/** Ours over a peer, round by round: what else the machine did in a round fell on both. */
const tellPeer = (report: Report, peer: string, ours: readonly Run[], theirs: readonly Run[]): void => {
  const pairs = theirs.flatMap((run, round) => {
    const own = ours[round];
    return own ? [{ rate: own.rate / run.rate, cpu: cpuOf(run) / cpuOf(own) }] : [];
  });
  const rates = pairs.map(({ rate }) => rate);
  const cpus = pairs.map(({ cpu }) => cpu);
  report.figure(name, peer, median(theirs.map(({ rate }) => rate)), 'samples/s', median(rates));
  report.figure(name, peer, median(theirs.map(cpuOf)), 'CPU s/sample', median(cpus));
  report.bar(`${bar} × the samples per second of ${peer}`, `${spread(rates)} ×`, median(rates) >= bar);
  report.bar(`1/${bar} of the CPU of ${peer}`, `1/${spread(cpus)}`, median(cpus) >= bar);
};

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
    report.say(`${subject.name}, ${workers.get(subject)} at a time: ${rates} samples/s, ${cpu} ms CPU a sample`);
  }
  report.figure(name, options.ours.name, median(ours.map(({ rate }) => rate)), 'samples/s');
  report.figure(name, options.ours.name, median(ours.map(cpuOf)), 'CPU s/sample');
  for (const peer of options.peers) {
    if (of(peer).length > 0) tellPeer(report, peer.name, ours, of(peer));
    else report.say(`${peer.name} answered no run in full`);
  }
  const delays = ours.flatMap(({ loopDelayMs }) => (loopDelayMs === undefined ? [] : [loopDelayMs]));
  report.bar("p99 of the event loop's delay under 50 ms", `${spread(delays)} ms`, median(delays) < 50);
  return runs.length === subjects.length * options.rounds && runs.every(isComplete);
};
