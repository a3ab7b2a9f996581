import type { EvaluationProgress } from '../../evaluation/progress-counter.ts';

const duration = (seconds: number): string => {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** One line: how far, how fast, how long still, what came of the samples, and the oldest that runs. */
export const progressText = (progress: EvaluationProgress): string => {
  const { done, total, rate, outcomes, inFlight, judged, oldestSeconds } = progress;
  const counts = Object.entries(outcomes).map(([verdict, count]) => `${verdict} ${count}`);
  return [
    `${done}/${total}`,
    `${rate.toFixed(rate < 10 ? 1 : 0)}/s`,
    ...(rate > 0 && done < total ? [`${duration((total - done) / rate)} left`] : []),
    ...(counts.length > 0 ? [counts.join(', ')] : []),
    ...(inFlight > 0 ? [`${inFlight} in flight, the oldest for ${duration(oldestSeconds)}`] : []),
    ...(judged > 0 ? [`${judged} of them at the judge`] : []),
  ].join(' · ');
};

const terminalGapMs = 500;
const logGapMs = 10_000;

/** Shows progress: one line that changes on a terminal, a line now and then in a log. */
export const createProgressView = (output: NodeJS.WriteStream, now: () => number = () => performance.now()) => {
  let shownAt = Number.NEGATIVE_INFINITY;
  let open = false;
  return {
    show: (progress: EvaluationProgress): void => {
      if (now() - shownAt < (output.isTTY ? terminalGapMs : logGapMs)) return;
      shownAt = now();
      const text = progressText(progress);
      // A line longer than the terminal would wrap, and leave its first part behind.
      output.write(output.isTTY ? `\r\u001b[K${text.slice(0, output.columns - 1)}` : `${text}\n`);
      open = output.isTTY;
    },
    /** Ends the line that changes. */
    end: (): void => {
      if (open) output.write('\n');
      open = false;
    },
  };
};
