import type { Report } from './report.ts';
import { median, spread } from './spread.ts';

/** Samples a second of either peer that ours are to reach so many times, and the part of their CPU seconds. */
const bar = 8;

/** What a peer reached, and ours over it: one value for each pair of runs that is compared. */
export interface PeerComparison {
  readonly peer: string;
  readonly rate: number;
  readonly cpuSeconds: number;
  readonly faster: readonly number[];
  readonly cheaper: readonly number[];
}

/** Says what ours is to a peer, and whether that is enough. */
export const tellPeer = (
  report: Report,
  name: string,
  { peer, rate, cpuSeconds, faster, cheaper }: PeerComparison,
): void => {
  report.figure(name, peer, rate, 'samples/s', median(faster));
  report.figure(name, peer, cpuSeconds, 'CPU s/sample', median(cheaper));
  report.bar(`${name}: ${bar} × the samples per second of ${peer}`, `${spread(faster)} ×`, median(faster) >= bar);
  report.bar(`${name}: 1/${bar} of the CPU of ${peer}`, `1/${spread(cheaper)}`, median(cheaper) >= bar);
};
