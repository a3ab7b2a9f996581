import { cpuOf, isComplete, type Report, type Run } from './report.ts';
import type { Subject } from './subjects.ts';
import { tellPeer } from './tell-peer.ts';

/** Says what the quickest and the cheapest run of ours is to those of each peer. */
export const tellBest = (
  report: Report,
  name: string,
  ours: Subject,
  peers: readonly Subject[],
  runs: readonly Run[],
): void => {
  const of = (subject: Subject): Run[] => runs.filter((run) => run.subject === subject.name && isComplete(run));
  const rateOf = (subject: Subject): number => Math.max(...of(subject).map(({ rate }) => rate));
  const leastCpu = (subject: Subject): number => Math.min(...of(subject).map(cpuOf));
  for (const peer of peers) {
    if (of(peer).length === 0 || of(ours).length === 0) {
      report.say(`${name}: ${of(ours).length === 0 ? ours.name : peer.name} answered no run in full`);
      continue;
    }
    const [rate, cpuSeconds] = [rateOf(peer), leastCpu(peer)];
    const [faster, cheaper] = [[rateOf(ours) / rate], [cpuSeconds / leastCpu(ours)]];
    tellPeer(report, name, { peer: peer.name, rate, cpuSeconds, faster, cheaper });
  }
};
