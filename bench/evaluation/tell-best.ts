import { cpuOf, isComplete, type Report, type Run } from './report.ts';
import type { Subject } from './subjects.ts';

/** Says what the quickest and the cheapest run of ours is to those of each peer. */
export const tellBest = (
  report: Report,
  name: string,
  ours: Subject,
  peers: readonly Subject[],
  runs: readonly Run[],
  bar: number,
): void => {
  const of = (subject: Subject): Run[] => runs.filter((run) => run.subject === subject.name && isComplete(run));
  const rate = (subject: Subject): number => Math.max(...of(subject).map((run) => run.rate));
  const cpu = (subject: Subject): number => Math.min(...of(subject).map(cpuOf));
  for (const peer of peers) {
    if (of(peer).length === 0 || of(ours).length === 0) {
      report.say(`${name}: ${peer.name} answered no run in full`);
      continue;
    }
    const faster = rate(ours) / rate(peer);
    const cheaper = cpu(peer) / cpu(ours);
    report.figure(name, peer.name, rate(peer), 'samples/s', faster);
    report.figure(name, peer.name, cpu(peer), 'CPU s/sample', cheaper);
    report.bar(`${name}: ${bar} × the samples per second of ${peer.name}`, `${faster.toFixed(1)} ×`, faster >= bar);
    report.bar(`${name}: 1/${bar} of the CPU of ${peer.name}`, `1/${cheaper.toFixed(1)}`, cheaper >= bar);
  }
};
