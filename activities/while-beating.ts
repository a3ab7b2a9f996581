import type { Progress } from '../domain/progress.ts';
import type { createPulse } from './pulse.ts';

const beatMs = 2000;

/**
 * Does work that reports progress at its own pace, and beats the heart of the activity in between with the last
 * progress, whose time tells how old it is.
 */
export const whileBeating = async <T>(
  pulse: ReturnType<typeof createPulse>,
  attempt: number,
  work: (report: (step: number, total: number) => void) => Promise<T>,
): Promise<T> => {
  let last: Progress = { phase: 'running', step: 0, total: 0, at: Date.now(), figures: {} };
  const timer = setInterval(() => pulse(last, attempt), beatMs);
  pulse(last, attempt);
  try {
    return await work((step, total) => {
      last = { phase: 'running', step, total, at: Date.now(), figures: {} };
      pulse(last, attempt);
    });
  } finally {
    clearInterval(timer);
  }
};
