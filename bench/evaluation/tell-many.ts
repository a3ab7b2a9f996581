import type { Mark } from './many-samples.ts';
import type { Report } from './report.ts';
import { spread } from './spread.ts';

/** What the resident memory may grow by after the first mark. */
const mostGrowth = 1.15;
/** The second half of the samples may take this much more than the first. */
const mostSlowing = 1.2;

/**
 * Says whether memory stayed flat after the first mark, and whether each sample took as long as the one before. What is
 * resident is more than what is in use by what the collectors let lie until it is worth their while.
 */
export const tellMany = (report: Report, marks: readonly Mark[]): void => {
  const [first, ...others] = marks;
  const middle = others[Math.floor((others.length - 1) / 2)];
  const last = others.at(-1);
  if (!first || !middle || !last || last === middle) return;
  const resident = others.map(({ rssMib }) => rssMib / first.rssMib);
  const most = Math.max(...resident);
  report.bar(
    `memory flat after the first ${first.samples} samples`,
    `${most.toFixed(2)} × as much`,
    most <= mostGrowth,
  );
  const inUse = others.map(({ liveMib }) => liveMib / first.liveMib);
  report.say(
    `at the end ${(last.rssMib / first.rssMib).toFixed(2)} × as much; in use, after a collection: ${spread(inUse, 2)} ×`,
  );
  const cost = (from: Mark, to: Mark): number => (to.cpuSeconds - from.cpuSeconds) / (to.samples - from.samples);
  const slowing = cost(middle, last) / cost(first, middle);
  report.bar(
    'time linear in the samples',
    `${slowing.toFixed(2)} × the CPU time a sample in the second half`,
    slowing <= mostSlowing,
  );
};
