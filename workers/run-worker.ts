import { rm, utimes, writeFile } from 'node:fs/promises';
import type { Worker } from '@temporalio/worker';

const pulseMs = 5000;

/**
 * Runs a worker to its end; while it polls, the file that `LENSMITH_READY_FILE` names exists, and its time of change is
 * renewed every five seconds, so that whoever watches tells a worker that hangs from one that works.
 */
export const runWorker = async (worker: Worker, env: NodeJS.ProcessEnv = process.env): Promise<void> => {
  const readyFile = env.LENSMITH_READY_FILE;
  const running = worker.run();
  let pulse: NodeJS.Timeout | undefined;
  if (readyFile) {
    await writeFile(readyFile, String(process.pid));
    pulse = setInterval(() => {
      const now = new Date();
      // A pulse that cannot be written is a missed one.
      utimes(readyFile, now, now).catch(() => undefined);
    }, pulseMs);
  }
  try {
    await running;
  } finally {
    clearInterval(pulse);
    if (readyFile) await rm(readyFile, { force: true });
  }
};
